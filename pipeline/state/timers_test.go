package state

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"muster/evaluator"
)

// TestEarliestTimerIsNeverMissed moves timers, to earlier and to later instants, while others search for the earliest one all
// the time, as the ticker does. The writer must find what it wrote.
func TestEarliestTimerIsNeverMissed(t *testing.T) {
	t.Parallel()
	store, err := Open("state", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := store.NextTimer(0); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 2))
	timers := make(map[string]evaluator.Instant)
	for clock := evaluator.Instant(0); clock < 3000; clock++ {
		w := store.NewBatch()
		user := fmt.Sprint("u", random.IntN(1000))
		if from, ok := timers[user]; !ok || from > clock {
			if !ok {
				from = evaluator.NoInstant
			}
			timers[user] = clock + 1 + evaluator.Instant(random.IntN(50))
			if err := w.MoveTimer(user, from, timers[user]); err != nil {
				t.Fatal(err)
			}
		}
		want := evaluator.NoInstant
		for user, due := range timers { // those that are due fire
			if due > clock {
				want = min(want, due)
				continue
			}
			if err := w.MoveTimer(user, due, evaluator.NoInstant); err != nil {
				t.Fatal(err)
			}
			delete(timers, user)
		}
		if err := w.Apply(); err != nil {
			t.Fatal(err)
		}
		if err := w.Wait(); err != nil {
			t.Fatal(err)
		}
		next, found := evaluator.NoInstant, 0
		err := store.Due(clock+1, clock+20, func(due evaluator.Instant, user string) bool {
			if timers[user] != due {
				t.Errorf("at %d: %s is due at %d, want %d", clock, user, due, timers[user])
			}
			found++
			next = min(next, due)
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		within := 0
		for _, due := range timers {
			if due <= clock+20 {
				within++
			}
		}
		if found != within || within > 0 && next != want {
			t.Fatalf("at %d: %d timers are due within 20, the first at %d; want %d, the first at %d", clock, found, next, within, want)
		}
		if next, err := store.NextTimer(clock); err != nil || next != want {
			t.Fatalf("at %d: the next timer is at %d (%v), want %d", clock, next, err, want)
		}
	}
	close(stop)
	asking.Wait()
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}
