package pipeline

import (
	"context"
	"sync/atomic"

	"github.com/sourcegraph/conc/pool"

	"muster/evaluator"
)

// Scan is a walk over all users of a reading by several goroutines at once. The users are cut into parts, in the order of
// ids, which the goroutines take one after the other: what is found in the first parts comes first.
type Scan struct {
	reading *Reading
	starts  []string
	next    atomic.Int64
	done    []atomic.Bool // by part
	users   atomic.Int64
}

// scanParts is how many parts a scan has at least, where the ids allow it: enough that no goroutine waits long for the last.
const scanParts = 64

// Visitor is told of users in the order of ids within a part. What it is given is valid during the call only.
type Visitor func(part int, u *User) error

// NewScan returns a scan to run once.
func (r *Reading) NewScan() (*Scan, error) {
	starts, err := r.snapshot.SplitUsers(scanParts)
	return &Scan{reading: r, starts: starts, done: make([]atomic.Bool, len(starts))}, err
}

// Parts is how many parts the scan has.
func (s *Scan) Parts() int { return len(s.starts) }

// Visited is how many users were visited so far, about. It may be called at any time from any goroutine.
func (s *Scan) Visited() int64 { return s.users.Load() }

// Done reports whether every user of a part was visited. It may be called at any time from any goroutine.
func (s *Scan) Done(part int) bool { return s.done[part].Load() }

// Run visits every user. Each goroutine has a visitor of its own.
func (s *Scan) Run(ctx context.Context, goroutines int, visitor func() Visitor) error {
	tasks := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	for range max(goroutines, 1) {
		visit := visitor()
		tasks.Go(func(ctx context.Context) error {
			for {
				part := int(s.next.Add(1)) - 1
				if part >= len(s.starts) {
					return nil
				}
				if err := s.part(ctx, part, visit); err != nil {
					return err
				}
				s.done[part].Store(true)
			}
		})
	}
	return tasks.Wait()
}

// scanLook is how many users are visited between two looks at whether anybody still wants to know.
const scanLook = 1024

func (s *Scan) part(ctx context.Context, part int, visit Visitor) error {
	from, to := s.starts[part], ""
	if part == 0 {
		from = ""
	}
	if part+1 < len(s.starts) {
		to = s.starts[part+1]
	}
	u, row := new(User), new(evaluator.Row)
	n := int64(0)
	err := s.reading.snapshot.UsersIn(from, to, func(id, encoded []byte) (bool, error) {
		if n++; n%scanLook == 0 {
			s.users.Add(scanLook)
			if ctx.Err() != nil {
				return false, context.Cause(ctx)
			}
		}
		u.ID = string(id)
		if err := s.reading.load(u, row, encoded); err != nil {
			return false, err
		}
		return true, visit(part, u)
	})
	s.users.Add(n % scanLook)
	return err
}

// load fills u from an encoded record; row is memory for its row.
func (r *Reading) load(u *User, row *evaluator.Row, encoded []byte) error {
	u.Row = nil
	if err := u.Record.Decode(encoded); err != nil {
		return err
	}
	var err error
	switch {
	case !u.Record.Present:
	case u.Record.Schema == r.generation.Epoch.Schema:
		u.Row = row
		err = row.Reset(r.generation.schema, u.Record.Tuple)
	default:
		u.Row, err = r.row(&u.Record)
	}
	return err
}

// Given returns the memberships of a user in the audiences asked for, as they are settled and published: by audience id and
// tenant.
func (r *Reading) Given(dst []evaluator.Given, u *User, asked func(evaluator.AudienceID) bool) []evaluator.Given {
	if u.Row == nil {
		return dst
	}
	for i := range u.Record.Memberships {
		if m := &u.Record.Memberships[i]; m.In && asked(m.Audience) {
			dst = append(dst, evaluator.Given{Audience: m.Audience, Tenant: m.Tenant})
		}
	}
	return dst
}

// Current reports whether a user has been judged by the definitions in force. While a backfill runs, some have not.
func (r *Reading) Current(u *User) bool { return u.Record.Generation == r.generation.Generation }
