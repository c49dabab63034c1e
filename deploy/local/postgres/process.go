package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"muster/deploy/local/lastwords"
	"muster/deploy/local/watchdog"
)

const (
	readyPoll = 5 * time.Millisecond
	// fastPatience is how long a fast shutdown may take: it waits for every replication client to confirm all of the
	// log, and a client under test may never do that.
	fastPatience = 5 * time.Second
	// immediatePatience is longer than the five seconds after which the postmaster itself kills what is left.
	immediatePatience = 10 * time.Second
)

// process is one run of the server. Its output goes through a pipe that all of its children inherit, so done means
// that the last of them is gone, also after the postmaster was killed and they had to notice by themselves.
type process struct {
	cmd  *exec.Cmd
	tail *lastwords.Writer
	done chan struct{}
}

// startProcess runs the postmaster of the data folder and has the watchdog watch it.
func startProcess(bin, data string, as account, log io.Writer, guard *watchdog.Watchdog) (*process, error) {
	p := &process{
		cmd:  exec.Command(filepath.Join(bin, "postgres"), "-D", data),
		tail: lastwords.New(log),
		done: make(chan struct{}),
	}
	p.cmd.Dir, p.cmd.Env, p.cmd.SysProcAttr = data, environment(), as.attributes()
	p.cmd.Stdout, p.cmd.Stderr = p.tail, p.tail
	// A program started by COPY ... PROGRAM may outlive the server with the pipe in hand; do not wait for it for ever.
	p.cmd.WaitDelay = immediatePatience
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.cmd.Path, err)
	}
	guard.Watch(p.cmd.Process.Pid)
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the exit code says nothing that the log does not say better
		guard.Forget()
	}()
	return p, nil
}

// environment is the same everywhere: no PG* variable of the caller reaches the server, and messages are in English,
// since port conflicts are recognised by them.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// errPortTaken is returned by ready when another socket holds the port.
var errPortTaken = errors.New("another program uses the port; stop it or choose another port")

// ready waits until the server accepts connections: the last line of postmaster.pid says so.
func (p *process) ready(ctx context.Context, data string) error {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.stop(immediate)
			return fmt.Errorf("wait for Postgres to accept connections: %w%s", ctx.Err(), p.tail)
		case <-p.done:
			if p.tail.Contains("could not bind") {
				return errPortTaken
			}
			return fmt.Errorf("Postgres ended while starting: %s%s", p.cmd.ProcessState, p.tail)
		case <-tick.C:
			// A server that was killed leaves its file behind, still calling it ready.
			if pidFileLine(data, 0) == strconv.Itoa(p.cmd.Process.Pid) && pidFileLine(data, 7) == "ready" {
				return nil
			}
		}
	}
}

// pidFileLine is a line, counted from 0, of the file in which the postmaster describes itself, or nothing.
func pidFileLine(data string, index int) string {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return ""
	}
	lines := bytes.Split(text, []byte("\n"))
	if index >= len(lines) {
		return ""
	}
	return string(bytes.TrimSpace(lines[index]))
}

// shutdown is a ladder of signals, each harder than the one before, and how long each has to work. At its end is SIGKILL.
type shutdown []struct {
	signal   syscall.Signal
	patience time.Duration
}

var (
	fast      = shutdown{{syscall.SIGINT, fastPatience}, {syscall.SIGQUIT, immediatePatience}}
	immediate = fast[1:]
	crash     = fast[2:]
)

// stop returns when every process of the server is gone.
func (p *process) stop(ladder shutdown) {
	for _, step := range ladder {
		_ = p.cmd.Process.Signal(step.signal) // it fails only when the process has ended
		select {
		case <-p.done:
			return
		case <-time.After(step.patience):
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}
