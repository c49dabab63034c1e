package engine

import "syscall"

// attributes put the child into a group of its own, so that Ctrl-C reaches the parent alone, which then has an engine to
// finish its work with; and have it told when the parent dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// executable is this program, even if its file has been replaced or removed since it was started.
func executable() (string, error) { return "/proc/self/exe", nil }
