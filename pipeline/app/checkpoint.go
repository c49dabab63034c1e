package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// checkpointsKept is how many checkpoints stay: the newest, and the one before it for whoever is just copying that.
const checkpointsKept = 2

const (
	checkpointName = "20060102T150405.000Z" // of the folder of a checkpoint, by its UTC time; they sort by age
	unfinished     = ".unfinished"          // ends the name of one that is being written
)

// checkpoints makes a checkpoint of the state each interval until ctx ends. One that fails leaves the ones before it, and
// the worker at its work.
func (w *Worker) checkpoints(ctx context.Context) {
	c := w.config.State.Checkpoint
	if c.Dir == "" {
		return
	}
	ticker := time.NewTicker(c.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if path, err := checkpoint(w.store, c.Dir, now); err != nil {
				w.log.Error("the state could not be copied; the checkpoints before are kept", "error", err)
			} else {
				w.log.Debug("state copied", "checkpoint", path)
			}
		}
	}
}

// checkpointer is the state, as far as it is copied.
type checkpointer interface{ Checkpoint(dir string) error }

// checkpoint copies the state into a folder of dir named after the time, and removes all but the last ones. A checkpoint
// gets its name when it is whole and on disk, so whatever has such a name can be used.
func checkpoint(store checkpointer, dir string, now time.Time) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make state.checkpoint.dir: %w", err)
	}
	if err := removeUnfinished(dir); err != nil {
		return "", err
	}
	path = filepath.Join(dir, now.UTC().Format(checkpointName))
	if err := store.Checkpoint(path + unfinished); err != nil {
		return "", errors.Join(err, os.RemoveAll(path+unfinished))
	}
	if err := errors.Join(os.Rename(path+unfinished, path), syncFolder(dir)); err != nil {
		return "", fmt.Errorf("finish checkpoint: %w", err)
	}
	return path, removeOld(dir)
}

// removeUnfinished removes what a worker that was killed meanwhile has left.
func removeUnfinished(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, "*"+unfinished))
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// removeOld removes all checkpoints but the last ones, and nothing that is not one.
func removeOld(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list checkpoints: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, err := time.Parse(checkpointName, e.Name()); err == nil && e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	for len(names) > checkpointsKept {
		if err := os.RemoveAll(filepath.Join(dir, names[0])); err != nil {
			return fmt.Errorf("remove an old checkpoint: %w", err)
		}
		names = names[1:]
	}
	return nil
}

// syncFolder makes a rename in a folder last.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
