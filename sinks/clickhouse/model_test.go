package clickhouse

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"muster/evaluator"
	"muster/pipeline/event"
)

// model is what the views must say, worked out the plain way from the events alone.
type model struct{ events []event.Event }

type standing struct {
	EnteredAt  evaluator.Instant
	EntryCount uint64
}

// membersAt is every membership in force at an instant.
func (m model) membersAt(instant evaluator.Instant) map[membership]standing {
	members := map[membership]standing{}
	for _, e := range m.events {
		if e.OccurredAt > instant {
			continue
		}
		if e.Type == event.Entered {
			members[membershipOf(&e)] = standing{e.EnteredAt, e.EntryCount}
		} else {
			delete(members, membershipOf(&e))
		}
	}
	return members
}

// difference is who is in at one end only, and since when.
func (m model) difference(audience string, from, to evaluator.Instant) []Difference {
	before, after := m.membersAt(from), m.membersAt(to)
	var list []Difference
	for of, standing := range after {
		if _, in := before[of]; !in && of.audience == audience {
			list = append(list, Difference{of.user, of.tenant, true, standing.EnteredAt.Time()})
		}
	}
	for of := range before {
		if _, in := after[of]; !in && of.audience == audience {
			list = append(list, Difference{of.user, of.tenant, false, m.lastExit(of, to).Time()})
		}
	}
	slices.SortFunc(list, func(a, b Difference) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Tenant, b.Tenant)) })
	return list
}

func (m model) lastExit(of membership, until evaluator.Instant) (last evaluator.Instant) {
	for _, e := range m.events {
		if membershipOf(&e) == of && e.Type == event.Exited && e.OccurredAt <= until {
			last = e.OccurredAt
		}
	}
	return last
}

type day struct{ Entered, Exited, Net, Size int64 }

// daily is audience_daily of one audience: every day from its first event to the last given.
func (m model) daily(audience string, last time.Time) map[string]day {
	changes := map[string]day{}
	for _, e := range m.events {
		if e.Audience != audience {
			continue
		}
		key := e.OccurredAt.Time().Format(time.DateOnly)
		d := changes[key]
		if e.Type == event.Entered {
			d.Entered++
		} else {
			d.Exited++
		}
		changes[key] = d
	}
	if len(changes) == 0 {
		return changes
	}
	first, _ := time.Parse(time.DateOnly, slices.Min(slices.Collect(maps.Keys(changes))))
	size := int64(0)
	for t := first; !t.After(last); t = t.AddDate(0, 0, 1) {
		d := changes[t.Format(time.DateOnly)]
		d.Net = d.Entered - d.Exited
		size += d.Net
		d.Size = size
		changes[t.Format(time.DateOnly)] = d
	}
	return changes
}

// drawModel makes histories that alternate for each membership, in an order of sequences along which instants never
// go back, often at the very same instant, over several months.
func drawModel(t *rapid.T, environment string) model {
	audiences := []string{"a", "b"}
	users := []string{"u1", "u2", "u3"}
	tenants := []string{"", "t"}
	now := at("2026-08-20T12:00:00Z")
	last := map[membership]event.Event{}
	var m model
	for range rapid.IntRange(1, 60).Draw(t, "events") {
		step := rapid.SampledFrom([]evaluator.Instant{0, 0, 1, 3600 * 1e6, 24 * 3600 * 1e6, 17 * 24 * 3600 * 1e6}).Draw(t, "step")
		if now+step < at("2026-11-20T00:00:00Z") {
			now += step
		}
		of := membership{
			rapid.SampledFrom(audiences).Draw(t, "audience"),
			rapid.SampledFrom(users).Draw(t, "user"),
			rapid.SampledFrom(tenants).Draw(t, "tenant"),
		}
		before, known := last[of]
		sequence := uint64(len(m.events)) + 1
		var e event.Event
		if known && before.Type == event.Entered {
			e = exit(sequence, before, now)
		} else {
			e = entry(sequence, of.audience, of.user, before.EntryCount+1, now)
			e.Tenant, e.Environment = of.tenant, environment
		}
		last[of] = e
		m.events = append(m.events, e)
	}
	return m
}
