package nemesis

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	rounds = flag.Int("rounds", 0, "rounds of the long form; 0 is the short one, a round of a few faults")
	seed   = flag.Uint64("seed", 1, "seed of the first round; each next one has the next seed")
	harms  = flag.Int("faults", 60, "faults in a round of the long form")
)

// briefly is how many faults the short form has.
const briefly = 14

// TestNemesis writes to the tables, does harm to everything around the worker and to itself, and then holds what readers
// find against the oracle. `make nemesis ROUNDS=n SEED=s` is the long form.
func TestNemesis(t *testing.T) {
	if *rounds == 0 {
		t.Parallel()
		round(t, *seed, briefly)
		return
	}
	total, violations := make(tally), 0
	for i := range *rounds {
		t.Run(fmt.Sprintf("seed %d", *seed+uint64(i)), func(t *testing.T) {
			done, found := round(t, *seed+uint64(i), *harms)
			total.add(done)
			violations += found
		})
	}
	t.Logf("%d rounds, seeds %d to %d, %d violations, faults\n%s", *rounds, *seed, *seed+uint64(*rounds)-1, violations, total)
}

// round is ravage as a test. It returns the harm done and the number of violations found.
func round(t *testing.T, seed uint64, count int) (tally, int) {
	t.Helper()
	n := ravage(t, "", seed, count)
	report(t, n.found)
	return n.done, len(n.found)
}

// ravage is one world, one workload and so many faults, and what was found then. An empty program is this one.
func ravage(t *testing.T, program string, seed uint64, count int) *nemesis {
	t.Helper()
	w := newWorld(t, []string{"15", "17"}[seed%2])
	w.upheavals = *rounds > 0 && seed%5 == 4 && program == ""
	w.exec(`INSERT INTO users (id, plan, seen_at) SELECT 'u' || i, 'pro', '2000-01-01' FROM generate_series(100, 110) AS i`)
	var arguments []string
	if program != "" {
		arguments = []string{program}
	}
	n := &nemesis{world: w, Rand: rand.New(rand.NewPCG(seed, 0)), worker: w.newWorker(arguments...), done: make(tally)}
	n.worker.start()
	n.worker.ready()
	w.observe()
	writing, defining, altering := w.startWriters(3, seed), w.startDefiner(seed), w.startAlterer(seed)
	for range count {
		n.next()
		n.pause(n.short(700))
		n.check()
	}
	n.heal()
	writing.stop()
	defining.stop()
	altering.stop()
	n.check()
	if program != "" && len(n.found) > 0 {
		return n // a worker with a bug may never come to the end
	}
	began := time.Now()
	w.finish()
	n.worker.settle()
	took := time.Since(began)
	n.worker.stop()
	n.found = append(n.found, w.durability()...)
	n.found = append(n.found, w.validate()...)
	if err := writing.lastError.Load(); err != nil {
		t.Logf("the writers' last error: %v", *err)
	}
	t.Logf("seed %d: %d transactions, %d refused, %d definitions, %d alterations, %d connections cut, settled in %s, faults\n%s", seed,
		writing.committed.Load(), writing.refused.Load(), defining.done.Load(), altering.done.Load(),
		w.toPostgres.cuts.Load()+w.toKafka.cuts.Load()+w.toClickHouse.cuts.Load(), took.Round(time.Millisecond), n.done)
	return n
}
