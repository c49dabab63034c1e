package state

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// met takes in what came of a write. Two kinds of refusal end the store before Pebble hears of them, for it would panic:
// those of its log, and all while it opens. Of others, Pebble retries what can be retried.
func (d *disk) met(name string, err error) error {
	if err != nil && (!d.opened.Load() || strings.HasSuffix(name, ".log")) {
		d.failed(err)
	}
	return err
}

// Create implements vfs.FS.
func (d *disk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, category)
	return d.written(name, f, err)
}

// ReuseForWrite implements vfs.FS.
func (d *disk) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.ReuseForWrite(oldname, newname, category)
	return d.written(newname, f, err)
}

// Rename implements vfs.FS.
func (d *disk) Rename(oldname, newname string) error {
	return d.met(newname, d.FS.Rename(oldname, newname))
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

func (d *disk) written(name string, f vfs.File, err error) (vfs.File, error) {
	if d.met(name, err) != nil {
		return nil, err
	}
	return file{f, name, d}, nil
}

// file is one that is written.
type file struct {
	vfs.File
	name string
	disk *disk
}

// Write implements vfs.File.
func (f file) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.disk.met(f.name, err)
}

// WriteAt implements vfs.File.
func (f file) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	return n, f.disk.met(f.name, err)
}

// Sync implements vfs.File.
func (f file) Sync() error { return f.disk.met(f.name, f.File.Sync()) }

// SyncData implements vfs.File.
func (f file) SyncData() error { return f.disk.met(f.name, f.File.SyncData()) }

// SyncTo implements vfs.File.
func (f file) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.disk.met(f.name, err)
}
