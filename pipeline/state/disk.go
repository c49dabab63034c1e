package state

import (
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A disk that refuses a write which cannot be retried ends the store. Pebble says so in three ways: by an error where
// somebody waits for it, by Fatalf of its logger, and by a panic: where a directory cannot be synced, where its log has
// refused an earlier write, and where it closes, since Open fails, what its own goroutines still use. The last two would take
// the process down with a stack trace; disk turns them into an error of Open, and after that into a call of the owner's
// Options.Failed. What would make Pebble panic it never hears of: see refusal.go.
type disk struct {
	vfs.FS
	told   func(error) // Options.Failed; may be nil
	opened atomic.Bool
	early  chan error // the first failure, while opening
}

// failed takes in a failure and does not return: Pebble's own invariants depend on it, and so does what it would do next,
// deferred functions included. Whoever waits for the write is left behind by the owner of the store, which hears of the
// failure first.
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
	select {}
}

// open opens the database, in a goroutine of its own since that may be the one that does not return, or may wait for ever
// for another.
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
