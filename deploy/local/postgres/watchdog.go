package postgres

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// watchdogScript reads orders from a pipe whose other end only this process holds. End of file without "release" means
// that this process is gone, however it died: then the server is stopped at once (its data is consistent all the same,
// by crash recovery) and the folder that was made for it is removed.
//
// A signal on the parent's death (Linux's Pdeathsig) would not do: it is tied to the thread that started the server,
// it cannot remove a folder, and other systems have none.
const watchdogScript = `
pid=
while read -r order argument; do
	case $order in
	watch) pid=$argument ;;
	forget) pid= ;;
	release) exit 0 ;;
	esac
done
if [ -n "$pid" ]; then
	kill -QUIT "$pid" 2>/dev/null
	tries=0
	while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null
fi
if [ -n "$1" ]; then rm -rf -- "$1"; fi
`

// watchdog outlives this process for as long as it takes to clean up after it.
type watchdog struct {
	mu    sync.Mutex
	cmd   *exec.Cmd
	pipe  io.WriteCloser
	ended bool
}

// startWatchdog guards the folder remove, or no folder when it is empty.
func startWatchdog(remove string) (*watchdog, error) {
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "muster-postgres-watchdog", remove)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make the watchdog's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	return &watchdog{cmd: cmd, pipe: pipe}, nil
}

// watch names the process to stop, forget says that it has ended and its number may mean something else from now on.
func (w *watchdog) watch(pid int) { w.order(fmt.Sprintf("watch %d\n", pid)) }
func (w *watchdog) forget()       { w.order("forget\n") }

// order ignores a failed write: the watchdog itself was killed, and the server works without it.
func (w *watchdog) order(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		_, _ = io.WriteString(w.pipe, line)
	}
}

// release ends the watchdog and waits for it. It may be called again.
func (w *watchdog) release() {
	w.order("release\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.ended = true
	_ = w.pipe.Close()
	_ = w.cmd.Wait()
}
