package nemesis

import (
	"os/exec"
	"os/signal"
	"syscall"
	"unsafe"
)

// limitFiles lets no file of a process grow beyond so many bytes from now on, for good. To the process that is a disk that
// refuses to write. Files that are larger already refuse as well.
func limitFiles(c *exec.Cmd, bytes uint64) error {
	limit := syscall.Rlimit{Cur: bytes, Max: bytes}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(c.Process.Pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// disksCanRefuse says whether limitFiles works here.
const disksCanRefuse = true

// takeRefusals makes a write beyond the limit an error, as on a full disk, and not the end of the process.
func takeRefusals() { signal.Ignore(syscall.SIGXFSZ) }
