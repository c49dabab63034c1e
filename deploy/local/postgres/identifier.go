package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
)

// Every cluster has a system identifier, and Muster binds its state to it: copies of one template that shared theirs
// would hide the very mistake that this guards against, a state directory used with another database. So a copy gets a
// new one, in the two places where it is written: the control file, under a checksum, and the header of each segment of
// the write-ahead log.

// Of the control file (struct ControlFileData of Postgres): the identifier is its first field and a CRC-32C over all
// that goes before is its last. Where that lies depends on the version, so it is found by computing.
const (
	smallestControl = 128
	largestControl  = 512 // Postgres keeps it within one disk sector
)

// Of a segment's first page (struct XLogLongPageHeaderData).
const (
	walInfoAt         = 2
	walIdentifierAt   = 24
	walLongHeaderFlag = 0x0002
)

var errLayout = errors.New("unknown layout")

// renewIdentifier gives the cluster in data, on which no server runs, a system identifier of its own.
func renewIdentifier(data string) error {
	old, err := renewControl(filepath.Join(data, "global", "pg_control"), newIdentifier(time.Now(), os.Getpid()))
	if err != nil {
		return err
	}
	segments, err := filepath.Glob(filepath.Join(data, "pg_wal", "????????????????????????"))
	if err != nil {
		return err
	}
	for _, segment := range segments {
		if err := renewSegment(segment, old.before, old.after); err != nil {
			return err
		}
	}
	return nil
}

type renewal struct{ before, after uint64 }

// newIdentifier makes one as initdb does: seconds, microseconds, and the low bits of the process's number.
func newIdentifier(now time.Time, pid int) uint64 {
	return uint64(now.Unix())<<32 | uint64(now.Nanosecond()/1000)<<12 | uint64(pid)&0xfff
}

func renewControl(path string, identifier uint64) (renewal, error) {
	control, err := os.ReadFile(path)
	if err != nil {
		return renewal{}, err
	}
	for at := smallestControl; at+4 <= min(largestControl, len(control)); at += 4 {
		if crc32.Checksum(control[:at], castagnoli) != binary.NativeEndian.Uint32(control[at:]) {
			continue
		}
		before := binary.NativeEndian.Uint64(control)
		binary.NativeEndian.PutUint64(control, identifier)
		binary.NativeEndian.PutUint32(control[at:], crc32.Checksum(control[:at], castagnoli))
		return renewal{before, identifier}, os.WriteFile(path, control, 0o600)
	}
	return renewal{}, fmt.Errorf("%s: no checksum found: %w", path, errLayout)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func renewSegment(path string, before, after uint64) error {
	segment, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	header := make([]byte, walIdentifierAt+8)
	_, err = segment.ReadAt(header, 0)
	switch {
	case err != nil:
	case binary.NativeEndian.Uint16(header[walInfoAt:])&walLongHeaderFlag == 0,
		binary.NativeEndian.Uint64(header[walIdentifierAt:]) != before:
		err = fmt.Errorf("%s: no identifier in the header: %w", path, errLayout)
	default:
		binary.NativeEndian.PutUint64(header[walIdentifierAt:], after)
		_, err = segment.WriteAt(header[walIdentifierAt:], walIdentifierAt)
	}
	return errors.Join(err, segment.Close())
}
