package nemesis

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
)

// compareMembers pages through the members of every audience while the worker runs, and holds who is in, and who is missing,
// to the ledgers.
func (r *modelRun) compareMembers() {
	r.Helper()
	for audience := range r.law.version {
		got := make(map[membership]bool)
		for query := "?page_size=37"; query != ""; {
			a, err := r.clients[0].request(http.MethodGet, "/v1/audiences/"+audience+"/members"+query, "", nil)
			if err != nil || a.status != http.StatusOK {
				r.Fatalf("members of %s: %d %v %v", audience, a.status, a.body, err)
			}
			entries, _ := a.body["entries"].([]any)
			for _, e := range entries {
				e := e.(object)
				tenant, _ := e["tenant"].(string)
				missing, _ := e["missing"].(bool)
				got[membership{audience, e["user_id"].(string), tenant}] = missing
			}
			query = ""
			if after, more := a.body["page_info"].(object)["after"].(string); more {
				query = "?page_size=37&after=" + after
			}
		}
		delete(got, membership{payingAlways, "the end", ""})
		for _, c := range r.clients {
			for m, missing := range c.members(r.law, audience) {
				if is, listed := got[m]; !listed || is != missing {
					r.Errorf("%v: listed %t, missing %t, want missing %t", m, listed, is, missing)
				}
				delete(got, m)
			}
		}
		for m := range got {
			r.Errorf("%v is listed and should not be", m)
		}
	}
}

// compareEvents holds Kafka to the ledgers and ClickHouse to Kafka. The worker does not run.
func (r *modelRun) compareEvents() {
	r.Helper()
	records := r.readKafka()
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.Sequence, b.Sequence) })
	found := r.uniqueness(records)
	records = slices.CompactFunc(records, func(a, b record) bool { return a.Sequence == b.Sequence })
	found = append(found, r.mirror(records)...)
	found = append(found, alternation(records)...)
	found = append(found, r.disorder(records)...)
	got := make(map[membership][]record)
	for _, e := range records {
		if e.User != "the end" {
			m := membership{e.Audience, e.User, e.Tenant}
			got[m] = append(got[m], e)
		}
	}
	now, total := r.clock(), 0
	causes := make(map[event.Cause]int)
	for _, c := range r.clients {
		for m, want := range c.events {
			total += len(want)
			found = append(found, compareEach(m, got[m], want, now)...)
			for _, w := range want {
				causes[w.cause]++
			}
			delete(got, m)
		}
	}
	for m, extra := range got {
		found = append(found, violation{"model", fmt.Sprintf("%v: %d events that nobody caused, the first %s", m, len(extra), tell(extra[0].Event))})
	}
	report(r, found)
	retries := 0
	for _, c := range r.clients {
		retries += c.retries
	}
	r.Logf("seed %d: %d operations, %d kills of the worker, %d requests sent again, %d events as they must be in Kafka and ClickHouse: %v",
		*modelSeed, r.done.Load(), r.kills, retries, total, causes)
}

// compareEach holds the events of one membership, in their order, to what must be there.
func compareEach(m membership, got []record, want []wanted, now clock) (found []violation) {
	bad := func(format string, args ...any) {
		found = append(found, violation{"model", fmt.Sprintf("%v: ", m) + fmt.Sprintf(format, args...)})
	}
	if len(got) != len(want) {
		bad("%d events, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		e, w := got[i].Event, want[i]
		if is, must := fmt.Sprint(e.Type, e.Cause, e.Trigger, e.Version), fmt.Sprint(w.kind, w.cause, w.trigger, w.version); is != must {
			bad("event %d of %d: %s, want %s", i+1, len(want), tell(e), must)
		}
		if e.Position.LSN < w.from || e.Position.LSN >= w.to {
			bad("%s was caused between %s and %s", tell(e), w.from, w.to)
		}
		if at, known := now[e.Position.LSN]; !known || at != e.OccurredAt {
			bad("%s, but the commit at that position is of %s", tell(e), at)
		}
		if len(found) > 3 {
			break // the rest follows from it
		}
	}
	return found
}

// disorder is about a user's events of one position: those of an audience come before those of one that refers to it.
func (r *modelRun) disorder(records []record) (found []violation) {
	last := make(map[string]event.Event)
	for _, e := range records {
		before, known := last[e.User]
		if known && before.Position.LSN > e.Position.LSN {
			found = append(found, violation{"model", fmt.Sprintf("%s follows %s", tell(e.Event), tell(before))})
		}
		if known && before.Position.LSN == e.Position.LSN && before.Audience == chosenPaying && e.Audience == openStatic && e.Tenant == "" {
			found = append(found, violation{"model", fmt.Sprintf("%s follows %s, which refers to it", tell(e.Event), tell(before))})
		}
		last[e.User] = e.Event
	}
	return found
}

// clock reads when what was committed. Commit times may step back by a little, and the worker's clock does not.
func (r *modelRun) clock() clock {
	r.Helper()
	rows, err := r.db.Query(context.Background(), `
WITH begun AS (
    SELECT ('x' || encode(substring(data FROM 2 FOR 8), 'hex'))::bit(64)::bigint AS lsn,
           ('x' || encode(substring(data FROM 10 FOR 8), 'hex'))::bit(64)::bigint AS micros
      FROM pg_logical_slot_peek_binary_changes('oracle', NULL, NULL, 'proto_version', '1', 'publication_names', 'muster', 'messages', 'true')
     WHERE get_byte(data, 0) = ascii('B')
)
SELECT lsn, max(timestamptz '2000-01-01 00:00:00+00' + micros * interval '1 microsecond') OVER (ORDER BY lsn) FROM begun`)
	if err != nil {
		r.Fatal(err)
	}
	defer rows.Close()
	now := make(clock)
	for rows.Next() {
		var lsn int64
		var at time.Time
		if err := rows.Scan(&lsn, &at); err != nil {
			r.Fatal(err)
		}
		now[event.LSN(lsn)] = evaluator.InstantOf(at)
	}
	if err := rows.Err(); err != nil {
		r.Fatal(err)
	}
	return now
}
