package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Package is one version of an npm package.
type Package struct {
	Name    string // such as "@scope/name"
	Version string // exact, no range
	// Integrity is the tarball's digest as the registry states it, "sha512-" and base64. When empty, the tarball is
	// trusted as far as npm itself verifies it against the registry.
	Integrity string
}

func (p Package) String() string { return p.Name + " " + p.Version }

// NPM returns the directory that holds the unpacked package, fetching it first when the cache has none. log takes lines
// about the progress, without line ends. The directory is shared: callers must not write to it.
func NPM(ctx context.Context, p Package, log func(string)) (dir string, err error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	return npm{cache: cache, log: log}.fetch(ctx, p)
}

// npm fetches into one cache with the machine's npm client.
type npm struct {
	cache string
	log   func(string)
	env   []string      // added to the process's environment
	every time.Duration // between lines about the progress; 0 means 3 s
}

func (n npm) fetch(ctx context.Context, p Package) (string, error) {
	if err := p.validate(); err != nil {
		return "", err
	}
	dir := filepath.Join(n.cache, "npm", p.slug())
	if ok, err := exists(dir); ok || err != nil {
		return dir, err
	}
	if err := mkdirPublic(filepath.Dir(dir)); err != nil {
		return "", fmt.Errorf("make cache directory: %w", err)
	}
	unlock, err := lock(ctx, dir+".lock", func() { n.log("waiting for another process that is fetching " + p.String()) })
	if err != nil {
		return "", fmt.Errorf("fetch %s: %w", p, err)
	}
	defer unlock()
	if ok, err := exists(dir); ok || err != nil { // whoever held the lock before us has fetched it
		return dir, err
	}
	if err := n.install(ctx, p, dir); err != nil {
		return "", fmt.Errorf("fetch %s: %w", p, err)
	}
	return dir, nil
}

// install makes dir appear, whole, in one step. The caller holds the lock.
func (n npm) install(ctx context.Context, p Package, dir string) error {
	aside := dir + ".partial" // of this process alone, by the lock; what a killed one left goes
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("remove an interrupted download: %w", err)
	}
	defer func() { _ = os.RemoveAll(aside) }()
	download, unpacked := filepath.Join(aside, "download"), filepath.Join(aside, "unpacked")
	for _, d := range []string{download, unpacked} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	tarball, err := n.pack(ctx, p, download)
	if err != nil {
		return err
	}
	n.log("unpacking " + p.String())
	if err := unpackFile(ctx, tarball, p.Integrity, unpacked); err != nil {
		return err
	}
	if err := os.Rename(unpacked, dir); err != nil {
		return err
	}
	n.log("fetched " + p.String() + " into " + dir)
	return nil
}

// pack has npm download the tarball into dir and returns its path. npm's own cache is put there too: it would keep a
// second copy for ever, and its growth is the progress.
func (n npm) pack(ctx context.Context, p Package, dir string) (string, error) {
	path, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("npm is not installed: %s", installNPM(runtime.GOOS))
	}
	cmd := exec.CommandContext(ctx, path, "pack", "--silent", "--ignore-scripts", "--cache", filepath.Join(dir, "npm"), p.Name+"@"+p.Version)
	cmd.Dir = dir // where the tarball lands; and no project's .npmrc is near
	cmd.Env = append(append(os.Environ(), "npm_config_update_notifier=false", "npm_config_loglevel=error", "npm_config_progress=false"), n.env...)
	var stderr bytes.Buffer
	cmd.Stderr, cmd.Stdout = &stderr, &stderr
	cmd.WaitDelay = 5 * time.Second
	n.log("downloading " + p.String() + " with npm")
	stop := n.watch(dir, p)
	err = cmd.Run()
	stop()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("npm pack: %w: %s\n(check the network and `npm ping`, then try again; what was fetched before stays)", err, tail(stderr.String()))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", errors.Join(fmt.Errorf("npm pack wrote %d tarballs, expected one", len(found)), err)
	}
	return found[0], nil
}

func installNPM(goos string) string {
	if goos == "darwin" {
		return "run `brew install node` and try again"
	}
	return "run `apt-get install npm` (or your system's like of it: dnf, apk, pacman) and try again"
}

// tail keeps an error readable: the end of npm's output is where it says what went wrong.
func tail(s string) string {
	const most = 2000
	s = strings.TrimSpace(s)
	if len(s) > most {
		s = "..." + s[len(s)-most:]
	}
	return s
}
