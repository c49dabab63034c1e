package nemesis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNemesisZombie freezes a worker, lets a second one take over from a copy of its state, as after a failover, and wakes
// the first, which goes on as if nothing had happened: it holds events it has not published, and a connection to Kafka. None
// of what it tries may be seen by a reader.
func TestNemesisZombie(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "17")
	w.exec(`INSERT INTO users (id, plan, seen_at) SELECT 'u' || i, 'pro', '2000-01-01' FROM generate_series(100, 110) AS i`)
	zombie := w.newWorker()
	zombie.start()
	zombie.ready()
	w.observe()
	writing := w.startWriters(3, 1)
	w.eventually("events", func() bool { return writing.committed.Load() > 200 })

	zombie.freeze(true)
	w.toPostgres.cut() // the server has given the frozen worker up, and its slot is free
	second := w.successor()
	second.start()
	second.ready()
	w.eventually("more events", func() bool { return writing.committed.Load() > 500 })
	zombie.freeze(false)
	w.eventually("the zombie to notice", zombie.gone)
	// Whichever it meets first, the slot or the broker.
	if words := zombie.lastWords(); !strings.Contains(words, "another worker") && !strings.Contains(words, "moved ahead by somebody else") {
		t.Errorf("the zombie does not say why it ends: %s", words)
	}
	w.eventually("events after that", func() bool { return writing.committed.Load() > 700 })

	writing.stop()
	w.finish()
	second.settle()
	second.stop()
	report(t, append(w.durability(), w.validate()...))
}

// successor is a worker with a copy of the state that the present one has on its disk. From here on the world's state is
// that.
func (w *world) successor() *worker {
	w.Helper()
	next := *w
	next.dir = w.TempDir()
	next.writeConfig()
	entries, err := os.ReadDir(w.stateDir)
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(w.stateDir, e.Name()))
		if err != nil {
			w.Fatal(err)
		}
		w.write(filepath.Join(next.stateDir, e.Name()), string(text))
	}
	w.stateDir = next.stateDir
	return next.newWorker()
}
