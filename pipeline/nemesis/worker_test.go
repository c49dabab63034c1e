package nemesis

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"muster/deploy/local/watchdog"
)

// worker is `muster run` as a process of its own.
type worker struct {
	*world
	program []string // and its first arguments
	environ []string
	guard   *watchdog.Watchdog
	log     *os.File

	mu      sync.Mutex
	command *exec.Cmd
	exited  chan struct{} // closed when it has
	err     error         // how it ended; read after exited
	begins  int64         // of its log in the file
	memory  int64         // the most bytes resident of any of its processes that have ended
	used    time.Duration // of the processors by the last of them
}

// newWorker returns a worker that does not run yet. The program is that of the test binary, or another one.
func (w *world) newWorker(program ...string) *worker {
	w.Helper()
	guard, err := watchdog.Start("")
	if err != nil {
		w.Fatal(err)
	}
	log, err := os.Create(filepath.Join(w.dir, "worker.log"))
	if err != nil {
		w.Fatal(err)
	}
	k := &worker{world: w, program: program, guard: guard, log: log}
	if len(program) == 0 {
		k.program, k.environ = []string{os.Args[0]}, []string{workerEnv + "=1"}
	}
	w.Cleanup(func() {
		k.kill()
		guard.Release()
		if w.Failed() {
			k.tell()
		}
		_ = log.Close()
	})
	return k
}

// start starts the process and does not wait for anything.
func (k *worker) start() {
	k.Helper()
	c := exec.Command(k.program[0], append(k.program[1:], "run", "-c", k.config)...)
	c.Env = append(os.Environ(), k.environ...)
	c.Stdout = throughPipe{k.log}
	c.Stderr = c.Stdout
	end, err := k.log.Seek(0, io.SeekEnd)
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		k.Fatal(err)
	}
	k.guard.Watch(c.Process.Pid)
	exited := make(chan struct{})
	k.mu.Lock()
	k.command, k.exited, k.begins = c, exited, end
	k.mu.Unlock()
	go func() {
		err := c.Wait()
		k.mu.Lock()
		k.err, k.memory = err, max(k.memory, residentMost(c.ProcessState))
		k.used = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		k.mu.Unlock()
		close(exited)
	}()
}

// residentMost is the most memory a process that has ended ever had, in bytes.
func residentMost(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "linux" {
		return usage.Maxrss * 1024
	}
	return usage.Maxrss
}

// kill ends the process by SIGKILL and waits until it is gone. It reports whether there was one to kill.
func (k *worker) kill() bool { return k.signal(syscall.SIGKILL) == nil }

var errNotRunning = errors.New("the worker does not run")

func (k *worker) signal(s syscall.Signal) error {
	k.mu.Lock()
	c, exited := k.command, k.exited
	k.command = nil
	k.mu.Unlock()
	if c == nil {
		return errNotRunning
	}
	_ = c.Process.Signal(s)
	<-exited
	k.guard.Forget()
	k.mu.Lock()
	defer k.mu.Unlock()
	if s != syscall.SIGKILL {
		return k.err
	}
	return nil
}

// stop ends the process in an orderly way. One that is told to before it could listen for that just ends.
func (k *worker) stop() {
	k.Helper()
	if err := k.signal(syscall.SIGTERM); err != nil && len(k.logText()[k.begins:]) > 0 {
		k.Errorf("the worker was told to stop: %v", err)
	}
}

// gone reports whether the process has ended by itself.
func (k *worker) gone() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.command == nil {
		return false
	}
	select {
	case <-k.exited:
		return true
	default:
		return false
	}
}

// ready waits until the worker says that it is.
func (k *worker) ready() {
	k.Helper()
	k.eventually("the worker to be ready", func() bool {
		if k.gone() {
			k.Fatalf("the worker has ended: %v", k.err)
		}
		return k.isReady()
	})
}

func (k *worker) isReady() bool {
	r, err := client.Get("http://" + k.api + "/readyz")
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// client keeps no connection open.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// tell shows the end of the worker's log.
func (k *worker) tell() {
	lines := strings.Split(k.logText(), "\n")
	k.Logf("the worker's log ends with\n%s", strings.Join(lines[max(0, len(lines)-120):], "\n"))
}

// streamed reports whether the process came as far as to stream.
func (k *worker) streamed() bool {
	return strings.Contains(k.logText()[k.begins:], "msg=streaming")
}

func (k *worker) logText() string {
	text, err := os.ReadFile(k.log.Name())
	if err != nil {
		k.Error(err)
	}
	return string(text)
}
