//go:build !linux

package engine

import (
	"os"
	"syscall"
)

// attributes put the child into a group of its own, so that Ctrl-C reaches the parent alone, which then has an engine to
// finish its work with. That the parent has died the child learns by the end of its standard input.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func executable() (string, error) { return os.Executable() }
