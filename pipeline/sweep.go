package pipeline

import (
	"context"
	"fmt"

	"muster/pipeline/state"
)

const (
	sweepUsers = 1024   // in one batch
	sweepLook  = 50_000 // records looked at for one batch
)

// sweepAll looks at every record, in the order of users, and works batches of those that pick puts into one. mark says what
// kind of batch they are. It returns how many users were worked.
func (p *Pipeline) sweepAll(ctx context.Context, mark func(*batch), pick func(b *batch, user string, r *state.Record)) (worked int, err error) {
	after := ""
	for complete := false; !complete; {
		if err := p.outbox.room(ctx, p.options.OutboxLimit); err != nil {
			return worked, err
		}
		err := p.work(ctx, func(*state.Batch) (*batch, error) {
			b := p.newBatch()
			mark(b)
			var err error
			after, complete, err = p.sweepNext(b, after, pick)
			worked += len(b.subjects)
			return b, err
		})
		if err != nil {
			return worked, err
		}
	}
	return worked, nil
}

// sweepNext fills one batch from the records behind after.
func (p *Pipeline) sweepNext(b *batch, after string, pick func(*batch, string, *state.Record)) (last string, complete bool, err error) {
	var r state.Record
	looked := 0
	last, complete = after, true
	err = p.store.Users(after, func(user string, encoded []byte) (bool, error) {
		if looked == sweepLook || len(b.subjects) == sweepUsers {
			complete = false
			return false, nil
		}
		if err := r.Decode(encoded); err != nil {
			return false, fmt.Errorf("user %q: %w", user, err)
		}
		looked++
		last = user
		pick(b, user, &r)
		return true, nil
	})
	return last, complete, err
}
