package state

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"muster/pipeline/event"
)

// TestLogThatRefusedAWrite writes on after the disk has refused a part of the log, which Pebble would meet with a panic: the
// owner hears of the disk.
func TestLogThatRefusedAWrite(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".log") {
			return syscall.ENOSPC
		}
		return nil
	}))
	failed := make(chan error, 16)
	store, err := Open("state", Options{FS: fs, Failed: func(err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	go func() { // which may never end, as those of a process that is about to
		for {
			b := store.NewBatch()
			if b.Stage("user", StagedChange{Op: event.Upsert, Tuple: bytes.Repeat([]byte("row"), 100_000)}) != nil || b.CommitStaged() != nil {
				return
			}
		}
	}()
	select {
	case err := <-failed:
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("the owner heard %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("nobody heard of the full disk")
	}
}
