package state_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/evaluator"
	"muster/pipeline/state"
)

// TestLastMoveOfAKeyCounts makes and takes back entries of indexes and timers in random order, several times the same one in
// a batch, and holds what is read against maps that do as they are told, one after the other.
func TestLastMoveOfAKeyCounts(t *testing.T) {
	t.Parallel()
	store, err := state.Open(t.TempDir(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	random := rand.New(rand.NewPCG(1, 2))
	members, recorded := make(map[string]bool), make(map[string]bool)
	timers := make(map[string]evaluator.Instant)
	for range 20 {
		w := store.NewBatch()
		moved := make(map[string]bool) // a user's timer is moved once in a batch
		for range 200 {
			user, tenant, in := fmt.Sprintf("u%d", random.IntN(10)), fmt.Sprint("t", random.IntN(2)), random.IntN(2) == 0
			audience := evaluator.AudienceID(1 + random.IntN(3))
			key := fmt.Sprint(audience, user, tenant)
			if random.IntN(2) == 0 {
				members[key] = in
				err = w.SetMember(audience, user, tenant, in)
			} else {
				recorded[key] = in
				err = w.SetRecorded(audience, user, tenant, in)
			}
			if err == nil && !moved[user] {
				from, ok := timers[user]
				if !ok {
					from = evaluator.NoInstant
				}
				timers[user], moved[user] = evaluator.Instant(random.IntN(100)-50), true
				err = w.MoveTimer(user, from, timers[user])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Apply(); err != nil {
			t.Fatal(err)
		}
		if err := w.Wait(); err != nil {
			t.Fatal(err)
		}
		same(t, "members", members, indexed(t, store.Members))
		same(t, "recorded", recorded, indexed(t, store.Recorded))
		due := make(map[string]evaluator.Instant)
		err := store.Due(-50, 50, func(at evaluator.Instant, user string) bool {
			due[user] = at
			return true
		})
		if err != nil || !maps.Equal(due, timers) {
			t.Fatalf("timers are %v (%v), want %v", due, err, timers)
		}
	}
}

type walk = func(audience evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error

// indexed is what an index holds, in its order.
func indexed(t *testing.T, index walk) (keys []string) {
	t.Helper()
	for audience := evaluator.AudienceID(1); audience <= 3; audience++ {
		err := index(audience, "", "", func(user, tenant string) (bool, error) {
			keys = append(keys, fmt.Sprint(audience, user, tenant))
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

func same(t *testing.T, what string, want map[string]bool, got []string) {
	t.Helper()
	var keys []string
	for key, in := range want {
		if in {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	slices.Sort(got)
	if !slices.Equal(got, keys) {
		t.Fatalf("%s are %v, want %v", what, got, keys)
	}
}
