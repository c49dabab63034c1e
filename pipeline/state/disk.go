package state

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A disk that refuses a write which cannot be retried ends the store. Pebble says so in three ways: by an error where
// somebody waits for it, by Fatalf of its logger, and, where a directory cannot be synced, by a panic. The last two would
// take the process down with a stack trace; disk turns them into an error of Open, and after that into a call of the
// owner's Options.Failed.
type disk struct {
	vfs.FS
	told   func(error) // Options.Failed; may be nil
	opened atomic.Bool
	early  chan error // the first failure, while opening
}

// failed takes in a failure and ends the goroutine that met it, on which Pebble's own invariants depend. Whoever waits for
// its write is released by the owner of the store, which hears of the failure first.
func (d *disk) failed(err error) {
	err = fmt.Errorf("state: the disk refused a write: %w", err)
	switch {
	case !d.opened.Load():
		select {
		case d.early <- err:
		default:
		}
	case d.told == nil:
		panic(err)
	default:
		d.told(err)
	}
	runtime.Goexit()
}

// open opens the database, in a goroutine of its own since that may have to end, or may wait for ever for another of
// Pebble's that had to.
func (d *disk) open(dir string, opts *pebble.Options) (*pebble.DB, error) {
	type outcome struct {
		db  *pebble.DB
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		db, err := pebble.Open(dir, opts)
		done <- outcome{db, err}
	}()
	select {
	case o := <-done:
		d.opened.Store(o.err == nil)
		return o.db, o.err
	case err := <-d.early:
		return nil, err
	}
}

// OpenDir returns a directory whose Sync does not fail: it ends the store.
func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return directory{f, d}, nil
}

// Unwrap lets Pebble find what is below.
func (d *disk) Unwrap() vfs.FS { return d.FS }

type directory struct {
	vfs.File
	disk *disk
}

// Sync is what Pebble panics over.
func (d directory) Sync() error {
	if err := d.File.Sync(); err != nil {
		d.disk.failed(fmt.Errorf("sync the directory: %w", err))
	}
	return nil
}
