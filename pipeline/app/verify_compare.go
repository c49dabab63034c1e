package app

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"

	"github.com/sourcegraph/conc/pool"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/evaluator/plain"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// comparison holds the state against a snapshot of the database, both at the same point. The judge is the plain one, which
// shares nothing with the one that made the memberships but the meaning of the operators.
type comparison struct {
	reading *pipeline.Reading
	rules   []pipeline.Audience
	byID    map[evaluator.AudienceID]*pipeline.Audience
	keys    map[evaluator.AudienceID]string
	judges  []*judging

	members map[string][]recorded // of the snapshot, by user
	seen    []uint64              // hashes of the users of the snapshot
	seed    maphash.Seed

	mu     sync.Mutex
	result api.Verified
}

// recorded is a static member as the database has it.
type recorded struct{ audience, tenant string }

// judging is what one goroutine compares with.
type judging struct {
	judge *plain.Judge
	match evaluator.Match
	row   evaluator.Row
}

func newComparison(reading *pipeline.Reading, workers int) (*comparison, error) {
	c := &comparison{
		reading: reading, rules: reading.Audiences(), members: make(map[string][]recorded), seed: maphash.MakeSeed(),
		byID:   make(map[evaluator.AudienceID]*pipeline.Audience),
		result: api.Verified{Position: reading.Position().String(), At: reading.Now().Time(), Sequence: reading.Sequence(), Kinds: make(map[string]uint64)},
	}
	slices.SortFunc(c.rules, func(a, b pipeline.Audience) int { return cmp.Compare(a.ID, b.ID) })
	audiences := make([]evaluator.Audience, len(c.rules))
	for i := range c.rules {
		audiences[i] = evaluator.Audience{ID: c.rules[i].ID, Definition: c.rules[i].Definition}
		c.byID[c.rules[i].ID] = &c.rules[i]
	}
	set, err := plain.Compile(audiences, reading.Schema())
	if err == nil {
		c.keys, err = reading.Keys()
	}
	for range workers {
		if err == nil {
			c.judges = append(c.judges, &judging{judge: set.NewJudge()})
		}
	}
	return c, err
}

func (c *comparison) close(log *slog.Logger) {
	if err := c.reading.Close(); err != nil {
		log.Error("close the reading of a verification", "error", err)
	}
}

// findings is how many differences are told in full.
const findings = 100

func (c *comparison) differs(kind, user string, audience evaluator.AudienceID, tenant, want, have string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Differences++
	c.result.Kinds[kind]++
	if len(c.result.Found) < findings {
		c.result.Found = append(c.result.Found, api.VerifyFinding{Kind: kind, User: user, Audience: c.keys[audience], Tenant: tenant, Want: want, Have: have})
	}
}

// chunk compares a part of the snapshot.
func (c *comparison) chunk(ctx context.Context, chunk *event.SnapshotChunk) error {
	for _, m := range chunk.Members {
		c.members[m.User] = append(c.members[m.User], recorded{m.Audience, m.Tenant})
	}
	if len(chunk.Users) == 0 {
		return nil
	}
	if !chunk.Schema.Equal(c.reading.Schema()) {
		return fmt.Errorf("the users table has changed its shape and no user has been written since, so the state still has the old one; write to any user and verify again")
	}
	for i := range chunk.Users {
		c.seen = append(c.seen, maphash.String(c.seed, chunk.Users[i].ID))
	}
	c.result.Users += int64(len(chunk.Users))
	tasks := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	for k, j := range c.judges {
		part := chunk.Users[k*len(chunk.Users)/len(c.judges) : (k+1)*len(chunk.Users)/len(c.judges)]
		tasks.Go(func(context.Context) error {
			for i := range part {
				if err := c.user(j, &part[i]); err != nil {
					return fmt.Errorf("user %q: %w", part[i].ID, err)
				}
			}
			return nil
		})
	}
	return tasks.Wait()
}

// user compares one user with its record.
func (c *comparison) user(j *judging, want *event.SnapshotUser) error {
	have, _, err := c.reading.User(want.ID)
	if err != nil {
		return err
	}
	if have.Row == nil {
		c.differs("row", want.ID, 0, "", "a row", "none")
		return nil
	}
	if !bytes.Equal(have.Row.Tuple(), want.Row) {
		c.differs("row", want.ID, 0, "", c.text(want.Row), c.text(have.Row.Tuple()))
	}
	if err := j.row.Reset(c.reading.Schema(), want.Row); err != nil {
		return err
	}
	in := c.reading.Input(&have)
	in.Row = &j.row
	record := &have.Record
	if record.Flip == in.Now { // timers of this very instant fire with the next commit
		in.Now--
	}
	j.judge.Match(&in, &j.match)
	c.memberships(want.ID, record, j.match.Members)
	c.timer(want.ID, record, j.match.NextFlip)
	return nil
}

// memberships compares what a present user is a member of.
func (c *comparison) memberships(user string, record *state.Record, holds []evaluator.AudienceID) {
	for i := range c.rules {
		rule := &c.rules[i]
		if rule.Definition.Type == evaluator.Static {
			continue
		}
		_, want := slices.BinarySearch(holds, rule.ID)
		membership := record.Membership(rule.ID, "")
		have := membership != nil && membership.In
		if rule.Definition.Settle.Waits() && record.Wait(rule.ID) != nil {
			have = !have // the membership follows when the wait is over
		}
		if want != have {
			c.differs("membership", user, rule.ID, "", inOut(want), inOut(have))
		}
	}
	for i := range record.Memberships {
		m := &record.Memberships[i]
		rule := c.byID[m.Audience]
		want := rule != nil && (m.Tenant == "" || rule.Definition.Type == evaluator.Static)
		if rule != nil && rule.Definition.Type == evaluator.Static {
			want = isRecorded(record, m.Audience, m.Tenant)
		}
		if m.In && !want {
			c.differs("membership", user, m.Audience, m.Tenant, "out", "in")
		}
	}
	for _, r := range record.Recorded {
		if rule := c.byID[r.Audience]; rule == nil || rule.Definition.Type != evaluator.Static {
			continue
		}
		if m := record.Membership(r.Audience, r.Tenant); m == nil || !m.In {
			c.differs("membership", user, r.Audience, r.Tenant, "in", "out")
		}
	}
}

func isRecorded(record *state.Record, audience evaluator.AudienceID, tenant string) bool {
	return slices.ContainsFunc(record.Recorded, func(r state.Recorded) bool { return r.Audience == audience && r.Tenant == tenant })
}

// timer compares the instant at which time alone moves the user next.
func (c *comparison) timer(user string, record *state.Record, next evaluator.Instant) {
	for _, w := range record.Waits {
		next = min(next, w.Due)
	}
	if next != record.Flip {
		c.differs("timer", user, 0, "", instantText(next), instantText(record.Flip))
	}
}

func instantText(i evaluator.Instant) string {
	if i == evaluator.NoInstant {
		return "none"
	}
	return i.String()
}

func inOut(in bool) string {
	if in {
		return "in"
	}
	return "out"
}

// text is a row for people, by column.
func (c *comparison) text(tuple evaluator.Tuple) string {
	row, err := evaluator.NewRow(c.reading.Schema(), tuple)
	if err != nil {
		return err.Error()
	}
	var b bytes.Buffer
	for i, column := range c.reading.Schema().Columns {
		if text := row.Text(i); text != nil {
			fmt.Fprintf(&b, "%s=%.60q ", column.Name, text)
		}
	}
	return b.String()
}
