package nemesis

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/evaluator"
	"muster/pipeline/event"
)

var lagOfKafka = regexp.MustCompile(`(?m)^muster_sink_lag_events\{sink="kafka"\} 0$`)

// violation is something that a reader can see and that must not be.
type violation struct {
	validator string // its letter
	what      string
}

func (v violation) String() string { return v.validator + ") " + v.what }

// validate holds what readers see against what must be there. The worker does not run.
//
//	a) final membership is what SQL over the table says
//	b) per (audience, user, tenant) events alternate, count on, and are in order
//	c) ids are unique in Kafka, also for a consumer that reads uncommitted, and no sequence is missing
//	d) ClickHouse is Kafka, row for row
//	e) every event is there with the right instant, cause, trigger, count and position, and no other
//	f) the slot was never acknowledged beyond what is durable; this one is checked whenever the worker is dead
func (w *world) validate() []violation {
	w.Helper()
	records := w.readKafka()
	slices.SortStableFunc(records, func(a, b record) int {
		return cmp.Compare(a.Sequence, b.Sequence)
	})
	found := w.uniqueness(records)
	records = slices.CompactFunc(records, func(a, b record) bool { return a.Sequence == b.Sequence })
	found = append(found, w.mirror(records)...)
	found = append(found, alternation(records)...)
	w.findSnapshot(records)
	want := w.expected()
	records = slices.DeleteFunc(records, func(r record) bool { return r.Position.LSN > w.last })
	w.count(records)
	found = append(found, w.membership(records)...)
	if w.upheavals {
		return found // what changed while the table was read again is dated, and caused, by that
	}
	return append(found, history(records, want)...)
}

// count tells how many events of each cause there are, and insists on some of each: a run without them proves little.
func (w *world) count(records []record) {
	w.Helper()
	causes := make(map[event.Cause]int)
	for _, r := range records {
		causes[r.Cause]++
	}
	w.Logf("%d events: %v", len(records), causes)
	for _, c := range []event.Cause{event.CauseSnapshot, event.CauseChange, event.CauseTimer, event.CauseStatic, event.CauseReference,
		event.CauseDelete, event.CauseIdentified, event.CauseDefinition} {
		if causes[c] == 0 && (c != event.CauseDefinition || w.changes) {
			w.Errorf("no event has the cause %s", c)
		}
	}
}

// uniqueness is validator c.
func (w *world) uniqueness(records []record) (found []violation) {
	ids := make(map[string]record)
	next := uint64(1)
	for _, r := range records {
		if first, doubled := ids[r.ID()]; doubled {
			found = append(found, violation{"c", fmt.Sprintf("%s is in Kafka twice: partition %d offset %d and partition %d offset %d",
				tell(r.Event), first.partition, first.offset, r.partition, r.offset)})
			continue
		}
		ids[r.ID()] = r
		if r.key != r.User {
			found = append(found, violation{"c", fmt.Sprintf("%s has the key %q", tell(r.Event), r.key)})
		}
		if r.Sequence != next {
			found = append(found, violation{"c", fmt.Sprintf("sequence %d comes after %d", r.Sequence, next-1)})
		}
		next = r.Sequence + 1
	}
	return found
}

// mirror is validator d.
func (w *world) mirror(records []record) (found []violation) {
	rows := make(map[uint64]event.Event)
	for _, r := range w.readClickHouse() {
		e := r.event(w)
		if have, doubled := rows[e.Sequence]; doubled {
			found = append(found, violation{"d", fmt.Sprintf("ClickHouse has both %s and %s", tell(have), tell(e))})
		}
		if r.ID != e.ID() {
			found = append(found, violation{"d", fmt.Sprintf("ClickHouse has %s under the id %s", tell(e), r.ID)})
		}
		rows[e.Sequence] = e
	}
	for _, r := range records {
		e, there := rows[r.Sequence]
		switch {
		case !there:
			found = append(found, violation{"d", "not in ClickHouse: " + tell(r.Event)})
		case tell(e) != tell(r.Event):
			found = append(found, violation{"d", fmt.Sprintf("ClickHouse has %s, Kafka %s", tell(e), tell(r.Event))})
		}
		delete(rows, r.Sequence)
	}
	for _, e := range rows {
		found = append(found, violation{"d", "not in Kafka: " + tell(e)})
	}
	return found
}

type membership struct{ audience, user, tenant string }

// alternation is validator b, over records in the order of their sequence, and of offsets within a partition.
func alternation(records []record) (found []violation) {
	last := make(map[membership]event.Event)
	placed := make(map[string]record)
	for _, r := range records {
		m := membership{r.Audience, r.User, r.Tenant}
		before, known := last[m]
		last[m] = r.Event
		good := !known && r.Type == event.Entered && r.EntryCount == 1 ||
			known && r.Type != before.Type && r.OccurredAt >= before.OccurredAt &&
				(r.Type == event.Entered && r.EntryCount == before.EntryCount+1 ||
					r.Type == event.Exited && r.EntryCount == before.EntryCount && r.EnteredAt == before.OccurredAt)
		if !good {
			found = append(found, violation{"b", fmt.Sprintf("%s follows %s", tell(r.Event), tell(before))})
		}
		if p, known := placed[r.User]; known && (p.partition != r.partition || p.offset > r.offset) {
			found = append(found, violation{"b", fmt.Sprintf("%s lies before %s in Kafka", tell(r.Event), tell(p.Event))})
		}
		placed[r.User] = r
	}
	return found
}

// membership is validator a: the table, as it is at the end, says who is in.
func (w *world) membership(records []record) (found []violation) {
	in := make(map[membership]bool)
	for _, r := range records {
		in[membership{r.Audience, r.User, r.Tenant}] = r.Type == event.Entered
	}
	now := w.now()
	for _, a := range audiences {
		if a.level > 0 {
			continue // told by the expected events; here the question is asked in the plainest way there is
		}
		sql := `SELECT user_id, tenant FROM muster.members JOIN users ON users.id = user_id WHERE audience = $1 AND $2::timestamptz IS NOT NULL`
		if a.dynamic() {
			v := w.inForce(&a)
			holds := cmp.Or(v.holds, "false")
			for i, c := range v.own {
				holds = strings.ReplaceAll(holds, fmt.Sprintf("own[%d]", i+1), "("+c+")")
			}
			sql = `SELECT id, '' FROM (SELECT users.id, users AS u, $2::timestamptz AS at FROM users) AS t WHERE $1::text IS NOT NULL AND (` + holds + `)`
		}
		rows, err := w.db.Query(context.Background(), sql, a.key, now.Time())
		if err != nil {
			w.Fatal(err)
		}
		var user, tenant string
		_, err = pgx.ForEachRow(rows, []any{&user, &tenant}, func() error {
			m := membership{a.key, user, tenant}
			if !in[m] {
				found = append(found, violation{"a", fmt.Sprintf("%v should be in at the end", m)})
			}
			delete(in, m)
			return nil
		})
		if err != nil {
			w.Fatal(err)
		}
		for m, is := range in {
			if is && m.audience == a.key {
				found = append(found, violation{"a", fmt.Sprintf("%v should not be in at the end", m)})
			}
		}
	}
	return found
}

// inForce is the variant that an audience has at the end.
func (w *world) inForce(a *audience) variant {
	w.Helper()
	versions := a.variants()
	sha := value[string](w, `SELECT coalesce((SELECT CASE WHEN archived THEN '' ELSE sha END FROM history.definitions WHERE audience = $1 ORDER BY version DESC LIMIT 1), $2)`,
		a.key, versions[0].sha(a.key))
	return versions[slices.IndexFunc(versions, func(v variant) bool { return v.sha(a.key) == sha })]
}

// history is validator e.
func history(records []record, want []expectation) (found []violation) {
	type transition struct {
		membership
		kind  event.Type
		count uint64
	}
	have := make(map[transition]record)
	for _, r := range records {
		have[transition{membership{r.Audience, r.User, r.Tenant}, r.Type, r.EntryCount}] = r
	}
	placed := make(map[string][]placedRecord)
	for _, x := range want {
		t := transition{membership{x.Audience, x.User, x.Tenant}, x.Type, x.EntryCount}
		r, there := have[t]
		delete(have, t)
		if !there {
			found = append(found, violation{"e", "missing: " + tell(x.Event)})
			continue
		}
		if x.owed && r.Position.LSN > x.Position.LSN {
			x.Position.LSN = r.Position.LSN
		}
		if tellLess(r.Event) != tellLess(x.Event) {
			found = append(found, violation{"e", fmt.Sprintf("have %s, want %s", tell(r.Event), tell(x.Event))})
		}
		placed[r.User] = append(placed[r.User], placedRecord{r, x.moment})
	}
	for _, r := range have {
		found = append(found, violation{"e", "unexpected: " + tell(r.Event)})
	}
	return append(found, disorder(placed)...)
}

// placedRecord is a record and the number of the moment it belongs to, among all of its user's.
type placedRecord struct {
	record
	moment int64
}

// disorder is the part of validator e about the order of a user's events: by moment, and within one an audience after
// those it refers to.
func disorder(users map[string][]placedRecord) (found []violation) {
	for _, list := range users {
		slices.SortFunc(list, func(a, b placedRecord) int { return cmp.Compare(a.Sequence, b.Sequence) })
		for i := range list {
			for j := i + 1; j < len(list) && (j == i+1 || list[j].moment == list[i].moment); j++ {
				if list[j].moment < list[i].moment || list[j].moment == list[i].moment && refersTo(list[i].Audience, list[j].Audience) {
					found = append(found, violation{"e", fmt.Sprintf("%s should come after %s", tell(list[i].Event), tell(list[j].Event))})
				}
			}
		}
	}
	return found
}

// durability is validator f: what the slot was told is durable is in the state directory of a dead worker.
func (w *world) durability() []violation {
	w.Helper()
	confirmed := w.acknowledged()
	head := w.head()
	// A new slot stands at the first byte that is not in the snapshot, and the state at the last one that is.
	if head.Position > 0 && !head.Snapshot.Running && confirmed > head.End+1 {
		return []violation{{"f", fmt.Sprintf("the slot is acknowledged up to %s, the state ends at %s", confirmed, head.End)}}
	}
	return nil
}

// acknowledged is where the worker's slot stands, 0 when there is none.
func (w *world) acknowledged() event.LSN {
	w.Helper()
	confirmed, err := event.ParseLSN(value[string](w, `SELECT coalesce((SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'muster'), '0/0')::text`))
	if err != nil {
		w.Fatal(err)
	}
	return confirmed
}

// tell is an event in one line.
func tell(e event.Event) string { return fmt.Sprintf("%d: %s", e.Sequence, tellLess(e)) }

// tellLess leaves out the sequence, which the oracle does not know.
func tellLess(e event.Event) string {
	return fmt.Sprintf("%s %s/%s %s v%d %s at %s trigger=%t entry %d of %s position %s", e.User, e.Audience, e.Tenant, e.Type, e.Version, e.Cause,
		e.OccurredAt, e.Trigger, e.EntryCount, e.EnteredAt, e.Position.LSN)
}

// findSnapshot takes position and instant of the worker's snapshot from its events, which must all agree.
func (w *world) findSnapshot(records []record) {
	w.Helper()
	for _, r := range records {
		if r.Cause == event.CauseSnapshot {
			w.snapshot.lsn, w.snapshot.at = r.Position.LSN, r.OccurredAt
			return
		}
	}
	w.Fatal("nobody entered with the snapshot")
}

// now is the clock at the last position, as the oracle has it; call expected first.
func (w *world) now() evaluator.Instant { return w.end }

// expectation is an event as the oracle expects it, without a sequence.
type expectation struct {
	event.Event
	moment int64
	owed   bool // its position is the earliest it may have
}

// expected asks the oracle.
func (w *world) expected() []expectation {
	w.Helper()
	ctx := context.Background()
	conn := w.connection()
	// 'the end' was the last to be inserted, by a transaction that did nothing else.
	if _, err := conn.Exec(ctx, `CREATE TEMP TABLE run AS SELECT $1::bigint AS base_seq, $2::bigint AS base_lsn, $3::timestamptz AS base_at,
       9223372036854775807::bigint AS last`, w.snapshot.lastRow, int64(w.snapshot.lsn), w.snapshot.at.Time()); err != nil {
		w.Fatal(err)
	}
	var lastXID int64
	if err := conn.QueryRow(ctx, `SELECT xid FROM history.users WHERE id = 'the end' ORDER BY seq DESC LIMIT 1`).Scan(&lastXID); err != nil {
		w.Fatal(err)
	}
	log, rest, _ := strings.Cut(oracle(oracleSQL), "CREATE INDEX ON log (xid);")
	for _, sql := range []string{
		log, fmt.Sprintf(`UPDATE run SET last = (SELECT lsn FROM log WHERE xid = %d); DELETE FROM log WHERE lsn > (SELECT last FROM run)`, lastXID),
		"CREATE INDEX ON log (xid);" + rest,
	} {
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			w.Fatalf("oracle: %v", err)
		}
	}
	var end time.Time
	var last int64
	var orphans []string
	if err := conn.QueryRow(ctx, `SELECT last, (SELECT max(now) FROM log), ARRAY(
         SELECT h::text FROM history.users AS h LEFT JOIN log USING (xid) WHERE seq > base_seq AND log.xid IS NULL ORDER BY seq LIMIT 10)
  FROM run`).Scan(&last, &end, &orphans); err != nil {
		w.Fatal(err)
	}
	if len(orphans) > 0 {
		w.Fatalf("the oracle's slot does not have the transactions of\n%s", strings.Join(orphans, "\n"))
	}
	w.last, w.end = event.LSN(last), evaluator.InstantOf(end)
	rows, err := conn.Query(ctx, `SELECT n, audience, version, user_id, tenant, inside, occurred_at, cause, trigger, entry_count, entered_at, position, owed
  FROM expected`)
	if err != nil {
		w.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (x expectation, err error) {
		var inside bool
		var cause string
		var position, count int64
		var occurred, entered time.Time
		if err := r.Scan(&x.moment, &x.Audience, &x.Version, &x.User, &x.Tenant, &inside, &occurred, &cause, &x.Trigger, &count, &entered, &position, &x.owed); err != nil {
			return x, err
		}
		x.Environment, x.EntryCount, x.Position.LSN = "nemesis", uint64(count), event.LSN(position)
		x.OccurredAt, x.EnteredAt = evaluator.InstantOf(occurred), evaluator.InstantOf(entered)
		if x.Type = event.Exited; inside {
			x.Type = event.Entered
		}
		x.Cause, err = event.ParseCause(cause)
		return x, err
	})
	if err != nil {
		w.Fatal(err)
	}
	return want
}
