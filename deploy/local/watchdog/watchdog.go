// Package watchdog cleans up after a process of the local stack that was killed and had no time to do so itself.
package watchdog

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// script reads orders from a pipe whose other end only this process holds. End of file without "release" means
// that this process is gone, however it died: then the process under watch is stopped (SIGQUIT is an immediate shutdown to
// Postgres) and the folder is removed, again and again while dying processes still write into it.
//
// A signal on the parent's death (Linux's Pdeathsig) would not do: it is tied to the thread that started the child, it
// cannot remove a folder, and other systems have none.
const script = `
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
tries=0
while [ -n "$1" ] && [ -e "$1" ] && [ "$tries" -lt 100 ]; do
	rm -rf -- "$1" 2>/dev/null || sleep 0.1
	tries=$((tries + 1))
done
`

// Watchdog outlives this process for as long as it takes to clean up after it.
type Watchdog struct {
	mu    sync.Mutex
	cmd   *exec.Cmd
	pipe  io.WriteCloser
	ended bool
}

// Start guards a folder that is to go with this process, or none when it is "".
func Start(folder string) (*Watchdog, error) {
	cmd := exec.Command("/bin/sh", "-c", `eval "$MUSTER_WATCHDOG"`, "muster-watchdog", folder)
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "MUSTER_WATCHDOG="+script) // a list of processes stays readable
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make the watchdog's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	return &Watchdog{cmd: cmd, pipe: pipe}, nil
}

// Watch names the process that is to end with this one, in place of the one named before.
func (w *Watchdog) Watch(pid int) { w.order(fmt.Sprintf("watch %d\n", pid)) }

// Forget says that the process has ended: its number may mean another one from now on.
func (w *Watchdog) Forget() { w.order("forget\n") }

// order ignores a failed write: the watchdog itself was killed, and what it guards works without it.
func (w *Watchdog) order(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		_, _ = io.WriteString(w.pipe, line)
	}
}

// Release ends the watchdog and waits for it. It may be called again.
func (w *Watchdog) Release() {
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
