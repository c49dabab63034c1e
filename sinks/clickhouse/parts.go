package clickhouse

import (
	"fmt"
	"iter"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
)

// part is what one insert carries. Which events it holds, their order and its token depend on the batch alone, so that a
// resend by this worker or by the next one is recognised.
type part struct {
	token  string
	events []event.Event
}

// parts splits a batch so that each part lies in one partition and fits in one block: ClickHouse makes an insert atomic,
// and recognises its repeat, only then. The months come in ascending order.
func parts(events []event.Event, limit int) iter.Seq[part] {
	return func(yield func(part) bool) {
		for _, of := range byMonth(events) {
			for p := range chunks(of, limit) {
				p.token = fmt.Sprintf("%s/%06d", p.token, month(of[0].OccurredAt))
				if !yield(p) {
					return
				}
			}
		}
	}
}

// chunks splits a batch by size alone.
func chunks(events []event.Event, limit int) iter.Seq[part] {
	return func(yield func(part) bool) {
		for chunk := range slices.Chunk(events, limit) {
			first, last := &chunk[0], &chunk[len(chunk)-1]
			token := fmt.Sprintf("%s/%d-%d", first.Environment, first.Sequence, last.Sequence)
			if !yield(part{token: token, events: chunk}) {
				return
			}
		}
	}
}

// byMonth groups the events by month, each group in the order of the batch. A batch within one month, which nearly all
// are, is returned as it is.
func byMonth(events []event.Event) [][]event.Event {
	first := month(events[0].OccurredAt)
	if !slices.ContainsFunc(events, func(e event.Event) bool { return month(e.OccurredAt) != first }) {
		return [][]event.Event{events}
	}
	groups := map[int][]event.Event{}
	for _, e := range events {
		m := month(e.OccurredAt)
		groups[m] = append(groups[m], e)
	}
	months := make([][]event.Event, 0, len(groups))
	for _, group := range groups {
		months = append(months, group)
	}
	slices.SortFunc(months, func(a, b []event.Event) int { return month(a[0].OccurredAt) - month(b[0].OccurredAt) })
	return months
}

// month is the partition: toYYYYMM(occurred_at).
func month(i evaluator.Instant) int {
	t := dateTime(i)
	return t.Year()*100 + int(t.Month())
}
