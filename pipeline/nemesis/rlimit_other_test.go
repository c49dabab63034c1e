//go:build !linux

package nemesis

import (
	"errors"
	"os/exec"
)

func limitFiles(*exec.Cmd, uint64) error { return errors.ErrUnsupported }

const disksCanRefuse = false

func takeRefusals() {}
