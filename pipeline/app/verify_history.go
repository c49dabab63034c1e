package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"log/slog"
	"maps"
	"slices"

	"muster/config"
	"muster/evaluator"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/sinks/clickhouse"
)

// conclude walks the whole state once more: for users that the database does not have, for static members, and beside it,
// in the same order, what ClickHouse has on record.
func (c *comparison) conclude(ctx context.Context, config *config.Config, log *slog.Logger) error {
	slices.Sort(c.seen)
	records := noRecords
	if config.ClickHouse.Enabled {
		o, err := ClickHouseOptions(config, log)
		if err != nil {
			return err
		}
		h, err := clickhouse.OpenHistory(o)
		if err != nil {
			return err
		}
		defer func() { _ = h.Close() }() // it only read
		records = h.PublishedAt(ctx, c.reading.Sequence())
		c.result.History = new(int64)
	} else {
		c.result.Notes = append(c.result.Notes, "ClickHouse is not enabled and was not compared")
	}
	next, stop := iter.Pull2(records)
	defer stop()
	w := recordWalk{comparison: c, next: next, undelivered: make(map[membershipKey]bool)}
	if err := w.advance(); err != nil {
		return err
	}
	if err := c.reading.Undelivered("clickhouse", w.skip); err != nil {
		return err
	}
	err := c.reading.Users("", func(u *pipeline.User) (bool, error) {
		return ctx.Err() == nil, w.user(u)
	})
	if err = errors.Join(err, context.Cause(ctx)); err != nil {
		return err
	}
	for !w.done {
		if err := w.unknown(); err != nil {
			return err
		}
	}
	for user, list := range c.members {
		for _, m := range list {
			c.differs("recorded", user, c.id(m.audience), m.tenant, "recorded", "not recorded")
		}
	}
	if n := len(w.undelivered); n > 0 && config.ClickHouse.Enabled {
		c.result.Notes = append(c.result.Notes, fmt.Sprintf("%d memberships were not compared with ClickHouse: it had yet to take their last events", n))
	}
	return nil
}

func noRecords(func(clickhouse.Published, error) bool) {}

func (c *comparison) id(key string) evaluator.AudienceID {
	for id, k := range c.keys {
		if k == key {
			return id
		}
	}
	return 0
}

// membershipKey names one membership.
type membershipKey struct{ audience, user, tenant string }

// recordWalk goes through the state and through the record of ClickHouse side by side, both in the order of users.
type recordWalk struct {
	*comparison
	next        func() (clickhouse.Published, error, bool)
	current     clickhouse.Published
	done        bool
	undelivered map[membershipKey]bool
}

func (w *recordWalk) skip(e *event.Event) {
	w.undelivered[membershipKey{e.Audience, e.User, e.Tenant}] = true
}

func (w *recordWalk) advance() error {
	row, err, ok := w.next()
	w.current, w.done = row, !ok
	return err
}

// user compares one record with what the snapshot says of static members and with what is on record.
func (w *recordWalk) user(u *pipeline.User) error {
	if u.Record.Present {
		if _, known := slices.BinarySearch(w.seen, maphash.String(w.seed, u.ID)); !known {
			w.differs("row", u.ID, 0, "", "none", "a row")
		}
	}
	w.recorded(u)
	for i := range u.Record.Memberships {
		if m := &u.Record.Memberships[i]; m.In {
			w.result.Memberships++
			if !u.Record.Present {
				w.differs("membership", u.ID, m.Audience, m.Tenant, "out", "in")
			}
		}
	}
	if w.result.History == nil {
		return nil
	}
	for !w.done && w.current.User < u.ID {
		if err := w.unknown(); err != nil {
			return err
		}
	}
	onRecord := make(map[membershipKey]clickhouse.Published)
	for !w.done && w.current.User == u.ID {
		onRecord[membershipKey{w.current.Audience, u.ID, w.current.Tenant}] = w.current
		if err := w.advance(); err != nil {
			return err
		}
	}
	w.history(u, onRecord)
	return nil
}

// recorded compares the static members recorded for a user.
func (w *recordWalk) recorded(u *pipeline.User) {
	want := w.members[u.ID]
	delete(w.members, u.ID)
	for _, r := range u.Record.Recorded {
		i := slices.Index(want, recorded{w.keys[r.Audience], r.Tenant})
		if i < 0 {
			w.differs("recorded", u.ID, r.Audience, r.Tenant, "not recorded", "recorded")
			continue
		}
		want = slices.Delete(want, i, i+1)
	}
	for _, m := range want {
		w.differs("recorded", u.ID, w.id(m.audience), m.tenant, "recorded", "not recorded")
	}
}

// history compares a user's memberships with those on record.
func (w *recordWalk) history(u *pipeline.User, onRecord map[membershipKey]clickhouse.Published) {
	for i := range u.Record.Memberships {
		m := &u.Record.Memberships[i]
		key := membershipKey{w.keys[m.Audience], u.ID, m.Tenant}
		found, ok := onRecord[key]
		delete(onRecord, key)
		if w.undelivered[key] || m.Count == 0 {
			continue
		}
		*w.result.History++
		switch {
		case !ok:
			w.differs("clickhouse", u.ID, m.Audience, m.Tenant, entryText(m.In, m.Count), "nothing on record")
		case found.Member != m.In || found.EntryCount != m.Count:
			w.differs("clickhouse", u.ID, m.Audience, m.Tenant, entryText(m.In, m.Count), entryText(found.Member, found.EntryCount))
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(onRecord), func(a, b membershipKey) int { return cmp.Compare(a.audience, b.audience) }) {
		w.stray(onRecord[key])
	}
}

// unknown takes a row of a user that the state does not know.
func (w *recordWalk) unknown() error {
	w.stray(w.current)
	return w.advance()
}

func (w *recordWalk) stray(p clickhouse.Published) {
	w.differs("clickhouse", p.User, w.id(p.Audience), p.Tenant, "nothing on record", entryText(p.Member, p.EntryCount))
}

func entryText(in bool, count uint64) string { return fmt.Sprintf("%s, entry %d", inOut(in), count) }
