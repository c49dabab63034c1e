package pipeline

import (
	"context"

	"muster/pipeline/state"
)

// backfillUsers is how many users one step of a backfill judges. It bounds what a transaction that arrives meanwhile has
// to wait for.
const backfillUsers = 1024

// backfill brings the next users, in key order, to the generation in force, and the place of the walk with them in one
// batch. Users that change or whose timers fire meanwhile come to it by themselves, whichever is first; a user
// that already is there has nothing to do.
func (p *Pipeline) backfill(ctx context.Context) error {
	return p.work(ctx, func(w *state.Batch) (*batch, error) {
		b := p.newBatch()
		b.once = true
		walk := &b.head.Backfill
		complete := true
		n := 0
		var r state.Record
		current := p.catalogue.current().Generation
		err := p.store.Users(walk.After, func(user string, encoded []byte) (bool, error) {
			if n == backfillUsers {
				complete = false
				return false, nil
			}
			if err := r.Decode(encoded); err != nil {
				return false, err
			}
			n++
			walk.After = user
			walk.Done++
			if r.Generation < current {
				b.subject(user)
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
		if complete {
			// Every record is at the generation in force once this batch is worked, so nothing needs the earlier ones after it.
			b.head.Backfill = state.Progress{}
			b.retire = true
		}
		return b, nil
	})
}
