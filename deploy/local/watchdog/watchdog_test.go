package watchdog

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sleeper is a process that ends when told, or by a signal.
type sleeper struct {
	cmd *exec.Cmd
	end func()
}

func start(t *testing.T) sleeper {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "echo ready; read -r line")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return sleeper{cmd, func() { _, _ = in.Write([]byte("end\n")) }}
}

// folder with something in it.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "it's a folder")
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// orphan does to a watchdog what the death of this process would do, and waits until it has cleaned up.
func orphan(w *Watchdog) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	_ = w.pipe.Close()
	_ = w.cmd.Wait()
}

func TestWatchdog(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		do           func(w *Watchdog, pid int)
		stopped      bool // the process was stopped
		folderExists bool
	}{
		{"nobody cleaned up", func(w *Watchdog, pid int) { w.Watch(pid); orphan(w) }, true, false},
		{"nothing to stop", func(w *Watchdog, _ int) { orphan(w) }, false, false},
		{"the process had ended", func(w *Watchdog, pid int) { w.Watch(pid); w.Forget(); orphan(w) }, false, false},
		{"released", func(w *Watchdog, pid int) { w.Watch(pid); w.Release(); w.Release() }, false, true},
		{"orders after the release", func(w *Watchdog, pid int) { w.Release(); w.Watch(pid) }, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, process := folder(t), start(t)
			w, err := Start(dir)
			if err != nil {
				t.Fatal(err)
			}
			// Reaped at once, as init does with orphans: a process that ended and was not waited for looks alive.
			ended := make(chan error, 1)
			go func() { ended <- process.cmd.Wait() }()
			tt.do(w, process.cmd.Process.Pid)
			process.end()
			if err := <-ended; (err != nil) != tt.stopped {
				t.Errorf("the process ended with %v", err)
			}
			if exists(t, dir) != tt.folderExists {
				t.Errorf("the folder is there: %v", !tt.folderExists)
			}
		})
	}
}

func TestWatchdogWithoutAFolder(t *testing.T) {
	t.Parallel()
	w, err := Start("")
	if err != nil {
		t.Fatal(err)
	}
	orphan(w)
	if !w.cmd.ProcessState.Exited() {
		t.Errorf("the watchdog ended by %s", w.cmd.ProcessState)
	}
}
