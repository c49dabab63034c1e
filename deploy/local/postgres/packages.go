package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// manager is a package manager and the commands that install a server with it.
type manager struct {
	program  string
	asRoot   bool // it needs root; without, the commands are shown instead of run
	commands func(major int) [][]string
}

var managers = []manager{
	{"apt-get", true, func(major int) [][]string {
		return [][]string{
			{"apt-get", "update"},
			{"apt-get", "install", "--yes", "--no-install-recommends", "postgresql" + suffix("-", major)},
		}
	}},
	{"dnf", true, func(int) [][]string { return [][]string{{"dnf", "install", "--assumeyes", "postgresql-server"}} }},
	{"apk", true, func(major int) [][]string { return [][]string{{"apk", "add", "postgresql" + suffix("", major)}} }},
	{"pacman", true, func(int) [][]string { return [][]string{{"pacman", "-Sy", "--noconfirm", "postgresql"}} }},
	{"brew", false, func(major int) [][]string {
		if major == 0 {
			major = portableMajor // Homebrew has no package without a version
		}
		return [][]string{{"brew", "install", "postgresql" + suffix("@", major)}}
	}},
}

// suffix names a major version in a package's name, and nothing where any version will do.
func suffix(separator string, major int) string {
	if major == 0 {
		return ""
	}
	return fmt.Sprintf("%s%d", separator, major)
}

// installPackage installs a server with the machine's package manager, announcing every command. It never asks for a
// password: who is not root is told what to run.
func installPackage(ctx context.Context, major int, log func(string)) error {
	for _, m := range managers {
		if _, err := exec.LookPath(m.program); err != nil {
			continue
		}
		commands := m.commands(major)
		if m.asRoot && os.Geteuid() != 0 {
			return fmt.Errorf("install a server with `sudo %s`", joinCommands(commands, " && sudo "))
		}
		for _, command := range commands {
			log("No Postgres server is on this machine, running: " + strings.Join(command, " "))
			if err := runLogged(ctx, command, log); err != nil {
				return fmt.Errorf("run %s: %w", strings.Join(command, " "), err)
			}
		}
		return nil
	}
	return errors.New("no package manager is known here; install a Postgres server and set " + binEnv + " to the folder of its initdb")
}

func joinCommands(commands [][]string, separator string) string {
	lines := make([]string, len(commands))
	for i, command := range commands {
		lines[i] = strings.Join(command, " ")
	}
	return strings.Join(lines, separator)
}

// runLogged runs a command and passes its output on, line by line.
func runLogged(ctx context.Context, command []string, log func(string)) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			log("  " + lines.Text())
		}
		_, _ = io.Copy(io.Discard, reader) // a line beyond the scanner's limit must not block the command
	})
	err := cmd.Run()
	_ = writer.Close()
	reading.Wait()
	return err
}
