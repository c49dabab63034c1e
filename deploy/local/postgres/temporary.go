package postgres

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// In memory a cluster's thousand and more files cost next to nothing, while some file systems spend a second of
// processor time on making and removing them.
const (
	memoryFolder = "/dev/shm"
	// memoryFree has to be there for data to be put into memory: containers often have 64 MB of it.
	memoryFree = 4 << 30
)

// TempDir makes a temporary folder that the server's user may enter, even as root with a TMPDIR within a home.
func TempDir() (string, error) { return temporaryDir(chooseAccount(), false) }

// temporaryDir makes a folder in memory when its data need not survive (fsync is off) and there is plenty.
func temporaryDir(a account, worthless bool) (string, error) {
	parent := os.TempDir()
	switch {
	case worthless && roomInMemory():
		parent = memoryFolder
	case a.reach(parent) != nil:
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "muster-postgres-")
	if err != nil {
		return "", fmt.Errorf("make Postgres's folder: %w", err)
	}
	return dir, os.Chmod(dir, 0o755)
}

func roomInMemory() bool {
	var fs unix.Statfs_t
	if err := unix.Statfs(memoryFolder, &fs); err != nil {
		return false
	}
	return uint64(fs.Bavail)*uint64(fs.Bsize) >= memoryFree
}
