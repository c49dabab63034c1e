package postgres

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that the server's processes run as. Postgres refuses to run as root, so for root it is an
// unprivileged one; for everybody else the zero account stands for the user itself.
type account struct {
	drop     bool
	uid, gid uint32
}

const overflowID = 65534 // nobody, where the password file does not name it

func chooseAccount() account {
	if os.Geteuid() != 0 {
		return account{}
	}
	a := account{drop: true, uid: overflowID, gid: overflowID}
	if u, err := user.Lookup("nobody"); err == nil {
		if uid, err := strconv.ParseUint(u.Uid, 10, 32); err == nil && uid != 0 {
			a.uid = uint32(uid)
		}
		if gid, err := strconv.ParseUint(u.Gid, 10, 32); err == nil && gid != 0 {
			a.gid = uint32(gid)
		}
	}
	return a
}

// attributes starts a process as the account, in a session of its own so that Ctrl-C at the terminal reaches only us.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// own hands path to the account.
func (a account) own(path string) error {
	if !a.drop {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// reach reports the first folder on the way to path, or path itself, that the account may not enter. Only root can
// hand its children a path that they cannot follow.
func (a account) reach(path string) error {
	if !a.drop {
		return nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	for {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !a.mayEnter(info) {
			return fmt.Errorf("%s cannot be entered by user id %d, as which Postgres has to run because it refuses root; "+
				"choose a folder below /tmp or /var/tmp, or run `chmod o+x %s`", path, a.uid, path)
		}
		parent := filepath.Dir(path)
		if parent == path {
			return nil
		}
		path = parent
	}
}

func (a account) mayEnter(info os.FileInfo) bool {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid == a.uid {
		return info.Mode().Perm()&0o100 != 0
	}
	return info.Mode().Perm()&0o001 != 0
}
