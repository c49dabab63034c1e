package pipeline_test

import (
	"fmt"
	"maps"
	"slices"

	"muster/evaluator"
	"muster/evaluator/plain"
	"muster/pipeline/event"
)

// model is what the pipeline must amount to, without batches, workers, disks or sinks: every user there is, judged one
// transaction and one instant after the other. It shares the plain evaluator with nobody, and nothing with the pipeline.
type model struct {
	users    map[string]evaluator.Tuple
	recorded map[recorded]bool
	defs     map[string]*served
	ids      map[string]evaluator.AudienceID
	members  map[string]map[recorded]*member // by user; recorded.user is ""
	waits    map[string]map[string]wait      // by user and audience
	flips    map[string]evaluator.Instant
	clock    evaluator.Instant
	events   map[string][]string // by user
	judge    *plain.Judge
	snapshot bool
}

type recorded struct{ audience, user, tenant string }

type served struct {
	*evaluator.Definition
	version uint32
}

type member struct {
	in, triggered bool
	count         uint64
	entered       evaluator.Instant
}

type wait struct {
	due   evaluator.Instant
	cause event.Cause
}

func newModel() *model {
	return &model{
		users: make(map[string]evaluator.Tuple), recorded: make(map[recorded]bool), defs: make(map[string]*served),
		ids: make(map[string]evaluator.AudienceID), members: make(map[string]map[recorded]*member),
		waits: make(map[string]map[string]wait), flips: make(map[string]evaluator.Instant), events: make(map[string][]string),
	}
}

// everyone is every id that was ever heard of.
func (m *model) everyone() []string {
	all := make(map[string]bool)
	for u := range m.users {
		all[u] = true
	}
	for u := range m.members {
		all[u] = true
	}
	for r := range m.recorded {
		all[r.user] = true
	}
	return slices.Sorted(maps.Keys(all))
}

func (m *model) compile() {
	var list []evaluator.Audience
	for _, key := range slices.Sorted(maps.Keys(m.defs)) {
		if m.ids[key] == 0 {
			m.ids[key] = evaluator.AudienceID(len(m.ids) + 1)
		}
	}
	for key, d := range m.defs {
		list = append(list, evaluator.Audience{ID: m.ids[key], Definition: d.Definition})
	}
	slices.SortFunc(list, func(a, b evaluator.Audience) int { return int(a.ID) - int(b.ID) })
	set, err := plain.Compile(list, schema)
	if err != nil {
		panic(err)
	}
	m.judge = set.NewJudge()
}

func (m *model) key(id evaluator.AudienceID) string {
	for key, k := range m.ids {
		if k == id {
			return key
		}
	}
	panic("unknown id")
}

// input is a user now; settled says which settling audiences it is in.
func (m *model) input(user string, now evaluator.Instant, settled map[string]bool) *evaluator.Input {
	in := &evaluator.Input{User: user, Now: now}
	t, present := m.users[user]
	if !present {
		return in
	}
	row, err := evaluator.NewRow(schema, t)
	if err != nil {
		panic(err)
	}
	in.Row = row
	for r := range m.recorded {
		if d := m.defs[r.audience]; r.user == user && d != nil && d.Type == evaluator.Static {
			in.Given = append(in.Given, evaluator.Given{Audience: m.ids[r.audience], Tenant: r.tenant})
		}
	}
	for key := range settled {
		if settled[key] {
			in.Given = append(in.Given, evaluator.Given{Audience: m.ids[key]})
		}
	}
	slices.SortFunc(in.Given, func(a, b evaluator.Given) int {
		if a.Audience != b.Audience {
			return int(a.Audience) - int(b.Audience)
		}
		if a.Tenant < b.Tenant {
			return -1
		}
		return 1
	})
	return in
}

func (m *model) settling() []string {
	var keys []string
	for key, d := range m.defs {
		if d.Settle.Waits() {
			keys = append(keys, key)
		}
	}
	return slices.Sorted(slices.Values(keys))
}

func (m *model) isIn(user, audience, tenant string) bool {
	x := m.members[user][recorded{audience: audience, tenant: tenant}]
	return x != nil && x.in
}

func (m *model) settledNow(user string) map[string]bool {
	s := make(map[string]bool)
	for _, key := range m.settling() {
		s[key] = m.isIn(user, key, "")
	}
	return s
}

// advance lets time pass up to and including limit, for all users but those excepted at limit itself.
func (m *model) advance(limit evaluator.Instant, except map[string]bool) {
	for {
		user, at := "", evaluator.Infinity
		for _, u := range m.everyone() {
			flip, ok := m.flips[u]
			if !ok || flip > limit || flip == limit && except[u] {
				continue
			}
			if flip < at {
				user, at = u, flip
			}
		}
		if user == "" {
			return
		}
		before := m.input(user, at-1, m.settledNow(user))
		m.step(user, before, at, event.CauseTimer, false, nil)
	}
}

// step judges a user whose state before was given, as it is now.
func (m *model) step(user string, before *evaluator.Input, now evaluator.Instant, own event.Cause, whole bool, fresh map[recorded]bool) {
	settled := m.settledNow(user)
	was := m.settledNow(user)
	if m.waits[user] == nil {
		m.waits[user] = make(map[string]wait)
	}
	present := before.Row != nil
	var diff evaluator.Diff
	causes := make(map[string]event.Cause)
	for again := true; again; {
		again = false
		m.judge.Diff(before, m.input(user, now, settled), &diff)
		for _, key := range m.settling() {
			w, waiting := m.waits[user][key]
			rawBefore := was[key] != waiting
			raw, cause := rawBefore, own
			for _, c := range diff.Changes {
				if m.key(c.Audience) == key {
					raw = c.Entered
					if !c.Own && !whole {
						cause = event.CauseReference
					}
				}
			}
			target := was[key]
			if raw != was[key] {
				if !waiting || rawBefore != raw {
					d := m.defs[key].Settle.Exit
					if raw {
						d = m.defs[key].Settle.Enter
					}
					w = wait{now + evaluator.Instant(d.Microseconds()), cause}
				}
				if whole {
					w = wait{now, own}
				}
				if w.due <= now {
					target = raw
					causes[key] = w.cause
				}
			}
			if settled[key] != target {
				settled[key], again = target, true
			}
		}
	}
	// statics
	after := m.input(user, now, settled)
	for r := range m.members[user] {
		if d := m.defs[r.audience]; d != nil && d.Type == evaluator.Static && m.isIn(user, r.audience, r.tenant) &&
			!slices.Contains(after.Given, evaluator.Given{Audience: m.ids[r.audience], Tenant: r.tenant}) {
			cause := event.CauseStatic
			if whole {
				cause = own
			}
			m.turn(user, r.audience, r.tenant, false, now, cause)
		}
	}
	for _, g := range after.Given {
		key := m.key(g.Audience)
		if m.defs[key].Type != evaluator.Static || m.isIn(user, key, g.Tenant) {
			continue
		}
		cause := event.CauseStatic
		if !present && !fresh[recorded{key, user, g.Tenant}] {
			cause = event.CauseIdentified
		}
		if whole {
			cause = own
		}
		m.turn(user, key, g.Tenant, true, now, cause)
	}
	for _, key := range m.settling() {
		if settled[key] != was[key] {
			m.turn(user, key, "", settled[key], now, causes[key])
		}
	}
	for _, c := range diff.Changes {
		key := m.key(c.Audience)
		if m.defs[key].Settle.Waits() {
			continue
		}
		cause := own
		if !c.Own && !whole {
			cause = event.CauseReference
		}
		m.turn(user, key, "", c.Entered, now, cause)
	}
	m.rewait(user, now, own, whole, &diff, was)
	m.reflip(user, now)
}

// rewait brings the waits up to date after a step.
func (m *model) rewait(user string, now evaluator.Instant, own event.Cause, whole bool, diff *evaluator.Diff, was map[string]bool) {
	for _, key := range m.settling() {
		w, waiting := m.waits[user][key]
		rawBefore := was[key] != waiting
		raw, cause := rawBefore, own
		for _, c := range diff.Changes {
			if m.key(c.Audience) == key {
				raw = c.Entered
				if !c.Own && !whole {
					cause = event.CauseReference
				}
			}
		}
		if raw == m.isIn(user, key, "") {
			delete(m.waits[user], key)
			continue
		}
		if waiting && rawBefore == raw {
			m.waits[user][key] = w
			continue
		}
		d := m.defs[key].Settle.Exit
		if raw {
			d = m.defs[key].Settle.Enter
		}
		m.waits[user][key] = wait{now + evaluator.Instant(d.Microseconds()), cause}
	}
}

func (m *model) reflip(user string, now evaluator.Instant) {
	var match evaluator.Match
	m.judge.Match(m.input(user, now, m.settledNow(user)), &match)
	flip := match.NextFlip
	for _, w := range m.waits[user] {
		flip = min(flip, w.due)
	}
	m.flips[user] = flip
	if flip == evaluator.NoInstant {
		delete(m.flips, user)
	}
}

// depart ends everything a user is in.
func (m *model) depart(user string, now evaluator.Instant) {
	for r := range m.members[user] {
		if m.isIn(user, r.audience, r.tenant) {
			m.turn(user, r.audience, r.tenant, false, now, event.CauseDelete)
		}
	}
	delete(m.waits, user)
	delete(m.flips, user)
}

func (m *model) turn(user, audience, tenant string, enter bool, now evaluator.Instant, cause event.Cause) {
	if m.members[user] == nil {
		m.members[user] = make(map[recorded]*member)
	}
	id := recorded{audience: audience, tenant: tenant}
	x := m.members[user][id]
	if x == nil {
		x = &member{}
		m.members[user][id] = x
	}
	if x.in == enter {
		panic(fmt.Sprintf("%s %s/%s is %v already", user, audience, tenant, enter))
	}
	x.in = enter
	trigger := false
	if enter {
		x.count++
		x.entered = now
		switch cause {
		case event.CauseChange, event.CauseTimer, event.CauseStatic, event.CauseReference:
			trigger = true
		}
		d := m.defs[audience]
		switch d.TriggerFrequency {
		case evaluator.OncePerUser:
			for r, y := range m.members[user] {
				if r.audience == audience && y.triggered {
					trigger = false
				}
			}
		case evaluator.OncePerUserAndTenant:
			trigger = trigger && !x.triggered
		}
		x.triggered = x.triggered || trigger
	}
	m.events[user] = append(m.events[user], fmt.Sprintf("%s/%s in=%v %s @%d #%d since %d trigger=%v", audience, tenant, enter, cause, now, x.count, x.entered, trigger))
}

// commit is one transaction.
func (m *model) commit(at evaluator.Instant, changes []event.Change) {
	now := max(at, m.clock)
	previous := m.clock
	var defs []event.Definition
	fresh := make(map[recorded]bool)
	touched := make(map[string]bool)
	rows := make(map[string]bool)
	users, statics := maps.Clone(m.users), maps.Clone(m.recorded)
	for _, c := range changes {
		switch c.Op {
		case event.Upsert:
			if c.OldUser != "" && c.OldUser != c.User {
				delete(users, c.OldUser)
				touched[c.OldUser], rows[c.OldUser] = true, true
			}
			t, err := c.Row.FillUnchanged(users[c.User])
			if err != nil {
				panic(err)
			}
			users[c.User] = t
			touched[c.User], rows[c.User] = true, true
		case event.Delete:
			delete(users, c.User)
			touched[c.User], rows[c.User] = true, true
		case event.Truncate:
			for u := range users {
				touched[u], rows[u] = true, true
			}
			clear(users)
		case event.MemberAdd:
			r := recorded{c.Member.Audience, c.Member.User, c.Member.Tenant}
			if !statics[r] {
				statics[r], fresh[r] = true, true
			}
			touched[r.user] = true
		case event.MemberRemove:
			r := recorded{c.Member.Audience, c.Member.User, c.Member.Tenant}
			delete(statics, r)
			touched[r.user] = true
		case event.MembersTruncate:
			for r := range statics {
				touched[r.user] = true
			}
			clear(statics)
		case event.Define:
			defs = append(defs, *c.Definition)
		}
	}
	if len(defs) > 0 { // at the same instant the new definition is judged and nothing is said of the old
		m.advance(now-1, nil)
		m.define(now, defs)
	}
	m.advance(now, touched)
	before := make(map[string]*evaluator.Input)
	for u := range touched {
		before[u] = m.input(u, max(now-1, previous), m.settledNow(u))
	}
	m.users, m.recorded, m.clock = users, statics, now
	for _, u := range slices.Sorted(maps.Keys(touched)) {
		_, present := m.users[u]
		switch {
		case before[u].Row != nil && !present:
			m.depart(u, now)
		case m.snapshot:
			m.step(u, before[u], now, event.CauseSnapshot, true, fresh)
		case rows[u]:
			m.step(u, before[u], now, event.CauseChange, false, fresh)
		default:
			m.step(u, before[u], now, event.CauseTimer, false, fresh)
		}
	}
}

// define puts definitions into force that are known to be acceptable.
func (m *model) define(now evaluator.Instant, defs []event.Definition) {
	changed := make(map[string]bool)
	for _, d := range defs {
		changed[d.Audience] = true
		if d.Archived {
			delete(m.defs, d.Audience)
			continue
		}
		decoded, err := evaluator.Decode(d.Document, d.Audience)
		if err != nil {
			panic(err)
		}
		m.defs[d.Audience] = &served{decoded, d.Version}
	}
	m.compile()
	for _, u := range m.everyone() {
		m.redefine(u, now, changed)
	}
}

// redefine judges one user by new definitions: every membership becomes what its conditions say, but waits of audiences
// whose verdict did not change go on.
func (m *model) redefine(user string, now evaluator.Instant, changed map[string]bool) {
	settled := m.settledNow(user)
	for key := range m.waits[user] {
		if d := m.defs[key]; d == nil || !d.Settle.Waits() {
			delete(m.waits[user], key)
		}
	}
	var match evaluator.Match
	for again := true; again; {
		again = false
		m.judge.Match(m.input(user, now, settled), &match)
		for _, key := range m.settling() {
			raw := slices.Contains(match.Members, m.ids[key])
			if _, waiting := m.waits[user][key]; raw == settled[key] || waiting && !changed[key] {
				continue
			}
			settled[key], again = raw, true
			delete(m.waits[user], key)
		}
	}
	in := m.input(user, now, settled)
	want := make(map[recorded]bool)
	for _, id := range match.Members {
		if key := m.key(id); !m.defs[key].Given() {
			want[recorded{audience: key}] = true
		}
	}
	for _, g := range in.Given {
		want[recorded{audience: m.key(g.Audience), tenant: g.Tenant}] = true
	}
	for r, x := range m.members[user] {
		if x.in && !want[r] {
			m.turn(user, r.audience, r.tenant, false, now, event.CauseDefinition)
		}
	}
	for r := range want {
		if !m.isIn(user, r.audience, r.tenant) {
			m.turn(user, r.audience, r.tenant, true, now, event.CauseDefinition)
		}
	}
	for _, key := range m.settling() {
		if slices.Contains(match.Members, m.ids[key]) == m.isIn(user, key, "") {
			delete(m.waits[user], key)
		}
	}
	m.reflip(user, now)
}
