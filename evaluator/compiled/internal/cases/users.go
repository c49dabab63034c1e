package cases

import (
	"fmt"
	"slices"
	"strings"

	"muster/evaluator"
)

// Row makes a row of Schema.
func (m *Maker) Row() *evaluator.Row { return m.row(m.fields()) }

// NextRow makes what a change leaves of a row: one that differs in a few columns.
func (m *Maker) NextRow(r *evaluator.Row) *evaluator.Row {
	fields := make([][]byte, len(Schema.Columns))
	for i := range fields {
		fields[i] = r.Text(i)
	}
	fresh := m.fields()
	for range 1 + m.IntN(4) {
		i := m.IntN(len(fields))
		fields[i] = fresh[i]
	}
	return m.row(fields)
}

func (m *Maker) row(fields [][]byte) *evaluator.Row {
	var t evaluator.Tuple
	for _, f := range fields {
		if f == nil {
			t = t.AppendNull()
		} else {
			t = t.AppendText(f)
		}
	}
	r, err := evaluator.NewRow(Schema, t)
	if err != nil {
		panic(err)
	}
	return r
}

// fields makes the texts of all columns, nil where NULL.
func (m *Maker) fields() [][]byte {
	fields := make([][]byte, len(Schema.Columns))
	set := func(i int, text string) {
		if !m.chance(8) {
			fields[i] = append([]byte{}, text...)
		}
	}
	set(0, "u"+pick(m, texts))
	set(1, pick(m, texts))
	set(2, pick(m, []string{"a  ", "ab ", "abc", "1  ", "   "}))
	set(3, pick(m, []string{"0", "1", "2", "3", "-1", "10", "9007199254740993"}))
	set(4, pick(m, []string{"0", "1.0", "2.50", "NaN", "Infinity", "-Infinity", "1e+300", "0.1", "0.10000000000000000001", "2.4999999999999999"}))
	set(5, pick(m, []string{"t", "f"}))
	set(6, m.timestamp())
	set(7, m.timestamp())
	set(8, "{"+strings.Join(m.some(func() string { return `"` + pick(m, []string{"a", "ab", "1", "", "true", "NULL", "k", "K"}) + `"` }), ",")+"}")
	set(9, "{"+strings.Join(m.some(func() string { return `"` + m.timestamp() + `"` }), ",")+"}")
	set(10, m.document())
	set(11, m.properties())
	return fields
}

func (m *Maker) some(one func() string) []string {
	list := make([]string, m.IntN(4))
	for i := range list {
		list[i] = one()
	}
	return list
}

// timestamp is one as Postgres prints it.
func (m *Maker) timestamp() string {
	if m.chance(8) {
		return pick(m, []string{
			"infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00", "5874897-12-31", "2020-01-01",
			"4714-11-24 00:00:00+00 BC",
		})
	}
	return strings.Replace(strings.Replace(m.instant().String(), "T", " ", 1), "Z", "+00", 1)
}

// instant is one near Epoch: on a whole minute, hour or day away from it, or next to that.
func (m *Maker) instant() evaluator.Instant {
	unit := pick(m, []evaluator.Instant{60, 3600, 86400})
	return Epoch + unit*1_000_000*evaluator.Instant(m.IntN(9)-4) + evaluator.Instant(m.IntN(3)-1)
}

func (m *Maker) document() string {
	switch m.IntN(6) {
	case 0:
		return m.scalar()
	case 1:
		return m.list(0)
	case 2:
		return `{"a":{}}`
	}
	return fmt.Sprintf(`{"a":%s,"b":%s,"c":{"d":%s}}`, m.scalarOrList(), m.list(0), m.scalar())
}

func (m *Maker) properties() string {
	if m.chance(8) {
		return pick(m, []string{"[]", "{}", "null", `"text"`, `[{"city":"a"}]`})
	}
	joined := quote(m.instant().String())
	if m.chance(4) {
		joined = m.scalar()
	}
	members := []string{
		`"city":` + m.scalarOrList(), `"level":` + m.scalar(), `"joined":` + joined, `"a key.with [it]":` + m.scalar(),
		`"nested":` + pick(m, []string{"{}", "1", `{"x":` + m.scalar() + `}`}), `"city":` + m.scalar(), `"seats":7`,
	}
	var kept []string
	for _, member := range members {
		if !m.chance(4) {
			kept = append(kept, member)
		}
	}
	return "{" + strings.Join(kept, ",") + "}"
}

// Now makes a clock near Epoch.
func (m *Maker) Now() evaluator.Instant {
	if m.chance(16) {
		return pick(m, []evaluator.Instant{0, -1, Epoch + 1<<52, Epoch - 1<<52})
	}
	return m.instant()
}

// Input makes a user at an instant. Absent users have no row and are given nothing.
func (m *Maker) Input(audiences []evaluator.Audience) evaluator.Input {
	in := evaluator.Input{User: "u" + pick(m, texts), Now: m.Now()}
	if m.chance(12) {
		return in
	}
	in.Row = m.Row()
	in.Given = m.Given(audiences)
	return in
}

// Next makes what a change leaves of a user: a later clock, often another row or other memberships.
func (m *Maker) Next(in evaluator.Input, audiences []evaluator.Audience) evaluator.Input {
	next := m.Input(audiences)
	if m.chance(16) {
		return next // anything at all, another user even
	}
	next.User = in.User
	if in.Row != nil && next.Row != nil {
		next.Row = in.Row
		if !m.chance(4) {
			next.Row = m.NextRow(in.Row)
		}
	}
	if next.Row != nil && in.Row != nil && !m.chance(3) {
		next.Given = in.Given
	}
	switch m.IntN(3) {
	case 0:
		next.Now = in.Now
	case 1:
		next.Now = in.Now + 1
	}
	return next
}

// Given makes the memberships that are given of one user.
func (m *Maker) Given(audiences []evaluator.Audience) []evaluator.Given {
	var given []evaluator.Given
	for _, a := range audiences {
		if !a.Definition.Given() {
			continue
		}
		for _, tenant := range []string{"", "t1", "t2"} {
			if m.chance(3) && (tenant == "" || a.Definition.Type == evaluator.Static) {
				given = append(given, evaluator.Given{Audience: a.ID, Tenant: tenant})
			}
		}
	}
	slices.SortFunc(given, func(a, b evaluator.Given) int {
		if a.Audience != b.Audience {
			return int(a.Audience) - int(b.Audience)
		}
		return strings.Compare(a.Tenant, b.Tenant)
	})
	return given
}
