package postgres

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// removeSharedMemory removes the System V segment by which Postgres guards a data folder. A server that was killed
// leaves it behind, a few bytes that stay until the machine restarts; the segment's number is in the file that such a
// server leaves too.
func removeSharedMemory(data string) error {
	var key, id int
	if n, err := fmt.Sscan(pidFileLine(data, 6), &key, &id); err != nil || n != 2 {
		return nil // stopped properly: no file, no segment
	}
	_, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EIDRM) {
		return fmt.Errorf("remove shared memory segment %d of a killed Postgres (ipcrm -m %d): %w", id, id, err)
	}
	return nil
}
