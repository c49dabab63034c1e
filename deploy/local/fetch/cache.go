package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// CacheEnv names the environment variable that overrides where downloads are kept.
const CacheEnv = "MUSTER_CACHE"

// rootCache is where root keeps downloads: root's own cache directory cannot be entered by the unprivileged users that
// servers are started as, and /tmp may be cleared at each boot.
const rootCache = "/var/tmp/muster-cache"

// CacheDir returns the directory downloads are kept in. It is made when absent.
func CacheDir() (string, error) {
	dir, err := cachePath()
	if err != nil {
		return "", err
	}
	if err := mkdirPublic(dir); err != nil {
		return "", fmt.Errorf("make cache directory: %w (set %s to a directory you can write)", err, CacheEnv)
	}
	if dir == rootCache {
		if err := trusted(dir); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func cachePath() (string, error) {
	if dir := os.Getenv(CacheEnv); dir != "" {
		return filepath.Abs(dir)
	}
	if os.Geteuid() == 0 {
		return rootCache, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w (set %s)", err, CacheEnv)
	}
	return filepath.Join(dir, "muster"), nil
}

// trusted refuses a cache that somebody else could have put there: /var/tmp is writable by all, and root is about to
// run what it finds in it.
func trusted(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("check cache directory: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("cache directory %s is not a directory that only root can write: remove it, or set %s", dir, CacheEnv)
	}
	return nil
}

func exists(dir string) (bool, error) {
	switch _, err := os.Stat(dir); {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, fmt.Errorf("look into the cache: %w", err)
	}
}

// mkdirPublic makes dir readable by everyone whatever the umask, if it is not there yet.
func mkdirPublic(dir string) error {
	if ok, err := exists(dir); ok || err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o755)
}
