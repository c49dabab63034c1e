package nemesis

import (
	"fmt"
	"io"
	"strings"
)

// refuseDisk lets the disk refuse what the worker writes, from some byte of a file on, until the worker has ended, and then
// starts it on a good one. The worker has to say what happened: neither does it hang, nor does it fall over.
func (n *nemesis) refuseDisk() {
	n.Helper()
	if !disksCanRefuse || len(n.worker.environ) == 0 { // a program as users have it does not survive the signal that comes with it
		n.kill(0)
		return
	}
	n.check()
	n.worker.refuseWrites(uint64(n.IntN(1 + n.IntN(200_000))))
	n.eventually("the worker to end on a disk that refuses to write", n.worker.gone)
	log := n.worker.logText()[n.worker.begins:]
	switch {
	case n.worker.err == nil:
		n.found = append(n.found, violation{"-", "the worker ended as if the disk had not refused to write"})
	case strings.Contains(log, "panic: ") || strings.Contains(log, "fatal error: ") || strings.Contains(log, "goroutine "):
		n.found = append(n.found, violation{"-", fmt.Sprintf("the worker fell over because the disk refused to write: %s", log[max(0, len(log)-4000):])})
	case !strings.Contains(log, "file too large"): // mostly its last words, but others may say something still
		n.found = append(n.found, violation{"-", fmt.Sprintf("the worker does not say that the disk refused to write: %s", log[max(0, len(log)-4000):])})
	}
	n.worker.kill() // takes leave of it
	n.found = append(n.found, n.durability()...)
	n.worker.start()
}

// refuseWrites makes every write of the process beyond so many bytes of a file fail.
func (k *worker) refuseWrites(bytes uint64) {
	k.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := limitFiles(k.command, bytes); err != nil {
		k.Fatalf("limit the worker's files: %v", err)
	}
}

// throughPipe is a file that a process writes to by way of this one: what it says arrives also when its own files may not
// grow.
type throughPipe struct{ io.Writer }
