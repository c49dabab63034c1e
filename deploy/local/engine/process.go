package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"

	"muster/deploy/local/lastwords"
)

// process is one run of the child.
type process struct {
	cmd   *exec.Cmd
	log   *lastwords.Writer
	stdin io.WriteCloser // its end tells the child that its parent is gone
	done  chan struct{}  // closed when it has ended
	err   error          // why, once done
}

// startProcess runs the child and waits until it serves or says why it cannot.
func startProcess(ctx context.Context, s setup, log *lastwords.Writer) (*process, error) {
	ready, report, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = ready.Close() }()
	p, err := launch(s, log, report)
	_ = report.Close() // the child's copy is the only one now
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var state outcome
	err = json.NewDecoder(ready).Decode(&state)
	if err == nil && state.Error == "" {
		return p, nil
	}
	p.kill()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case state.PortTaken:
		return nil, fmt.Errorf("%w: %s", errPortTaken, state.Error)
	case state.Error != "":
		return nil, errors.New(state.Error + log.String())
	}
	return nil, fmt.Errorf("it ended while starting: %w%s", p.err, log.String())
}

// errEnded says that the engine was not running any more when it was to be stopped.
var errEnded = errors.New("the ClickHouse engine had ended by itself")

// errPortTaken says that another program listens on the port.
var errPortTaken = errors.New("another program uses the port; stop it or choose another port")

func launch(s setup, log *lastwords.Writer, report *os.File) (*process, error) {
	told, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	path, err := executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path)
	cmd.Args = []string{"muster-clickhouse-engine"} // as it is listed by ps
	cmd.Env = append(os.Environ(), childEnv+"="+string(told), "TZ=UTC")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{report}
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = time.Second
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	started := make(chan error)
	go p.own(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("run %s: %w", path, err)
	}
	return p, nil
}

// own starts the child and waits for it, on a thread that lives as long as the child: the signal on the parent's death
// comes when the thread dies that started it. Whoever has the process waits for done.
func (p *process) own(started chan<- error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// stop asks the child to end and returns when it has.
func (p *process) stop(patience time.Duration) error {
	select {
	case <-p.done: // before anybody asked
		return fmt.Errorf("%w: %w", errEnded, exitError(p.err))
	default:
	}
	_, _ = io.WriteString(p.stdin, stopOrder+"\n") // fails only if it has just ended
	_ = p.stdin.Close()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
		if p.err != nil {
			return fmt.Errorf("the ClickHouse engine did not stop cleanly: %w%s", p.err, p.log.String())
		}
		return nil
	case <-timer.C:
		p.kill()
		return fmt.Errorf("the ClickHouse engine did not stop within %s and was killed", patience)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only if it has ended
	<-p.done
	_ = p.stdin.Close()
}

func exitError(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}
