package chdb

import (
	"syscall"
	"unsafe"
)

// deadly are the signals that the engine takes from whoever embeds it.
var deadly = []syscall.Signal{
	syscall.SIGABRT, syscall.SIGSEGV, syscall.SIGILL, syscall.SIGBUS, syscall.SIGSYS, syscall.SIGFPE, syscall.SIGTSTP, syscall.SIGTRAP,
}

// holdSignals runs f and then puts the signal handlers back as they were. Being told to keep its own handlers out, the
// engine resets those of everybody else too, then and at each connect. Without Go's handlers a nil dereference would kill
// the process where it should be a panic; with the engine's it would hang it for minutes.
func (l *Library) holdSignals(f func()) {
	type action [256]byte // room for struct sigaction on every system
	saved := make([]action, len(deadly))
	for i, s := range deadly {
		l.sigaction(int32(s), nil, unsafe.Pointer(&saved[i]))
	}
	f()
	for i, s := range deadly {
		l.sigaction(int32(s), unsafe.Pointer(&saved[i]), nil)
	}
}
