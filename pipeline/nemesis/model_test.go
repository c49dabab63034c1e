package nemesis

import (
	"maps"

	"muster/evaluator"
	"muster/pipeline/event"
)

// A model is what some clients did through the API, in the plainest way there is: who exists, who is recorded where, and
// which events must have come of it. It knows no row, no log and no SQL, and so it is wrong elsewhere than the oracle is.

// enrolment is a place in a static audience.
type enrolment struct{ audience, tenant string }

// person is a user as the model knows one.
type person struct {
	there    bool
	plan     string
	score    int
	recorded map[enrolment]bool
}

func (p *person) clone() person {
	c := *p
	c.recorded = maps.Clone(p.recorded)
	return c
}

// ruling is what an audience says of a person, and what its own condition says, which a static one has none of.
type ruling struct{ in, own bool }

// wanted is an event that must be there. The transaction it comes of was committed in [from, to).
type wanted struct {
	kind     event.Type
	cause    event.Cause
	trigger  bool
	version  uint32
	from, to event.LSN
}

// The audiences of the model. high takes in who scores as much as the law says, which changes.
const (
	openStatic   = "one" // every entry may start work
	onceStatic   = "two" // the first of a user and tenant
	payingAlways = "pro"
	highOnce     = "high"   // the first of a user
	chosenPaying = "chosen" // refers to one
)

// laws are the definitions that are in force.
type laws struct {
	threshold int
	version   map[string]uint32
	document  map[string]string // as committed, none for what is archived
	archived  map[string]bool
}

// rulings is what each audience says of a person, by the place a membership is of.
func (l *laws) rulings(p *person) map[enrolment]ruling {
	all := make(map[enrolment]ruling)
	for e := range p.recorded {
		all[e] = ruling{in: p.there && !l.archived[e.audience]}
	}
	paying, high := p.there && p.plan == "pro", p.there && p.score >= l.threshold
	all[enrolment{payingAlways, ""}] = ruling{paying, paying}
	all[enrolment{highOnce, ""}] = ruling{high, high}
	all[enrolment{chosenPaying, ""}] = ruling{paying && p.recorded[enrolment{openStatic, ""}], paying}
	return all
}

// ledger is the people of one client and what must have been published of them.
type ledger struct {
	people map[string]*person
	events map[membership][]wanted
	spent  map[membership]bool // an entry that may start work only once has
}

func newLedger() *ledger {
	return &ledger{people: make(map[string]*person), events: make(map[membership][]wanted), spent: make(map[membership]bool)}
}

func (l *ledger) person(id string) *person {
	p := l.people[id]
	if p == nil {
		p = &person{recorded: make(map[enrolment]bool)}
		l.people[id] = p
	}
	return p
}

// transaction is what is done to people in one go: only what they were before and are after it counts.
type transaction struct {
	*ledger
	before map[string]person
}

func (l *ledger) begin() *transaction { return &transaction{l, make(map[string]person)} }

// touch returns a person to change.
func (t *transaction) touch(id string) *person {
	p := t.person(id)
	if _, touched := t.before[id]; !touched {
		t.before[id] = p.clone()
	}
	return p
}

// commit notes what must be published of a transaction committed in [from, to).
func (t *transaction) commit(l *laws, from, to event.LSN) {
	for id, before := range t.before {
		after := t.people[id]
		was, is := l.rulings(&before), l.rulings(after)
		for e := range union(was, is) {
			if was[e].in != is[e].in {
				t.note(l, membership{e.audience, id, e.tenant}, is[e].in, causeOf(e, &before, after, was[e], is[e]), from, to)
			}
		}
	}
}

func union(a, b map[enrolment]ruling) map[enrolment]ruling {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

func causeOf(e enrolment, before, after *person, was, is ruling) event.Cause {
	static := e.audience == openStatic || e.audience == onceStatic
	switch {
	case !after.there:
		return event.CauseDelete
	case static && is.in && !before.there && before.recorded[e]:
		return event.CauseIdentified
	case static:
		return event.CauseStatic
	case was.own == is.own:
		return event.CauseReference
	}
	return event.CauseChange
}

// amend applies new laws to everybody.
func (l *ledger) amend(old, now *laws, from, to event.LSN) {
	for id, p := range l.people {
		was, is := old.rulings(p), now.rulings(p)
		for e := range was {
			if was[e].in != is[e].in {
				l.note(now, membership{e.audience, id, e.tenant}, is[e].in, event.CauseDefinition, from, to)
			}
		}
	}
}

func (l *ledger) note(law *laws, m membership, in bool, cause event.Cause, from, to event.LSN) {
	w := wanted{kind: event.Exited, cause: cause, version: law.version[m.audience], from: from, to: to}
	if in {
		w.kind = event.Entered
		live := cause == event.CauseChange || cause == event.CauseStatic || cause == event.CauseReference
		w.trigger = live && !l.spent[m]
		if w.trigger && (m.audience == onceStatic || m.audience == highOnce) {
			l.spent[m] = true
		}
	}
	l.events[m] = append(l.events[m], w)
}

// members are those of an audience: whether each is missing.
func (l *ledger) members(law *laws, audience string) map[membership]bool {
	all := make(map[membership]bool)
	for id, p := range l.people {
		for e, r := range law.rulings(p) {
			if e.audience == audience && (r.in || p.recorded[e] && !p.there) {
				all[membership{audience, id, e.tenant}] = !r.in
			}
		}
	}
	return all
}

// clock is the instant of each commit, by its position in the log.
type clock map[event.LSN]evaluator.Instant
