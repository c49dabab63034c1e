package state

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrLocked is returned by Open when another process, most likely another worker, has the directory open.
var ErrLocked = errors.New("state directory is in use by another process")

// Options of Open.
type Options struct {
	FS        vfs.FS // nil: the operating system's; tests inject faults here
	CacheSize int64  // bytes of memory for blocks read; 0: 96 MB
	Logger    *slog.Logger
	// Failed is called, once, when the disk refuses a write that cannot be retried (full, read-only, fsync error). The
	// store is of no use afterwards: what it has on disk is consistent, what it has in memory may not reach it.
	Failed func(error)
}

// Store is an open state directory.
type Store struct {
	View
	db        *pebble.DB
	dir       string
	lock      *pebble.Lock
	spare     sync.Pool // of *sorted
	earliest  earliest
	discarded uint64 // events up to this sequence are gone from the outbox; belongs to the caller of Discard
}

// View is a way to read the state: the store itself, as it is now, or a Snapshot of it.
type View struct{ from pebble.Reader }

// Open opens the state in dir, making the directory when it is absent.
func Open(dir string, o Options) (*Store, error) {
	fs := o.FS
	if fs == nil {
		fs = vfs.Default
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	lock, err := pebble.LockDirectory(dir, fs)
	if err != nil {
		if errors.Is(err, os.ErrPermission) {
			return nil, fmt.Errorf("lock state directory %s: %w", dir, err)
		}
		return nil, fmt.Errorf("%w: %s (%v); stop the other worker, or give this one a state.dir of its own", ErrLocked, dir, err)
	}
	d := &disk{FS: fs, told: o.Failed, early: make(chan error, 1)}
	opts := tuning(o)
	opts.FS, opts.Lock, opts.Logger = d, lock, logger{o.Logger, d.failed}
	db, err := d.open(dir, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open state directory %s: %w", dir, err), lock.Close())
	}
	return &Store{
		View: View{db}, db: db, dir: dir, lock: lock,
		spare: sync.Pool{New: func() any { return new(sorted) }}, earliest: earliest{instant: math.MinInt64},
	}, nil
}

// tuning fits Pebble to the workload: small values read by key on every change and rewritten soon after.
func tuning(o Options) *pebble.Options {
	cache := o.CacheSize
	if cache == 0 {
		cache = 96 << 20
	}
	opts := &pebble.Options{
		CacheSize:                   cache,
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                32 << 20,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               256 << 20,
		WALBytesPerSync:             1 << 20,
		BytesPerSync:                1 << 20,
		MaxOpenFiles:                500,
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return opts
}

// Close flushes and closes the store. Snapshots must be closed before.
func (s *Store) Close() error {
	if err := errors.Join(s.db.Close(), s.lock.Close()); err != nil {
		return fmt.Errorf("close state: %w", err)
	}
	return nil
}

// Dir is the directory the store was opened with.
func (s *Store) Dir() string { return s.dir }

// Snapshot is a View that does not change. Close it.
type Snapshot struct {
	View
	snapshot *pebble.Snapshot
}

// Snapshot returns a view of the state as it is now.
func (s *Store) Snapshot() *Snapshot {
	snapshot := s.db.NewSnapshot()
	return &Snapshot{View{snapshot}, snapshot}
}

// Close releases the snapshot.
func (s *Snapshot) Close() error { return s.snapshot.Close() }

// Checkpoint writes a consistent copy of the state into dir, which must not exist. Files are linked where possible.
func (s *Store) Checkpoint(dir string) error {
	if err := s.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
		return fmt.Errorf("checkpoint state into %s: %w", dir, err)
	}
	return nil
}

// DiskUsage is the size of the directory in bytes.
func (s *Store) DiskUsage() uint64 { return s.db.Metrics().DiskSpaceUsage() }

// get returns a copy of the value of key, or nil when there is none.
func (v *View) get(key []byte) ([]byte, error) {
	value, err := v.getInto(nil, key)
	return value, err
}

// getInto appends the value of key to dst; it returns nil when there is none.
func (v *View) getInto(dst, key []byte) ([]byte, error) {
	value, closer, err := v.from.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if dst == nil {
		dst = make([]byte, 0, len(value))
	}
	dst = append(dst, value...)
	return dst, closeAfterRead(closer)
}

// walk calls visit for each pair from lower (included) to upper (excluded) until it returns false. Keys and values are
// valid during the call only.
func (v *View) walk(lower, upper []byte, visit func(key, value []byte) (bool, error)) error {
	return v.walkIn(lower, upper, false, visit)
}

// walkBackward is walk from upper (excluded) down to lower (included).
func (v *View) walkBackward(lower, upper []byte, visit func(key, value []byte) (bool, error)) error {
	return v.walkIn(lower, upper, true, visit)
}

func (v *View) walkIn(lower, upper []byte, backward bool, visit func(key, value []byte) (bool, error)) error {
	it, err := v.from.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	first, next := it.First, it.Next
	if backward {
		first, next = it.Last, it.Prev
	}
	for ok := first(); ok; ok = next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(fmt.Errorf("read state: %w", err), it.Close())
		}
		more, err := visit(it.Key(), value)
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !more {
			break
		}
	}
	return closeAfterRead(it)
}

func closeAfterRead(c io.Closer) error {
	if err := c.Close(); err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	return nil
}

func (s *Store) setSync(key, value []byte) error {
	if err := s.db.Set(key, value, pebble.Sync); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}
