package workload

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"muster/evaluator"
)

// Change is one user before and after.
type Change struct {
	Before, After evaluator.Input
}

// Changes makes n changes of so many attributes of a user each. Every value is parsed already, as the rows of a rival are.
func Changes(n, attributes int) []Change {
	r := rand.New(rand.NewPCG(uint64(attributes), 3))
	changes := make([]Change, n)
	for i := range changes {
		user := "u" + strconv.Itoa(i)
		fields := make([]string, len(Schema.Columns))
		fields[0] = user
		for column := 1; column < len(fields); column++ {
			fields[column] = value(r, column)
		}
		now := Now + evaluator.Instant(r.Int64N(3_600_000_000))
		changes[i].Before = evaluator.Input{User: user, Row: row(fields), Now: now - 1}
		for _, k := range r.Perm(Attributes)[:attributes] {
			for was := fields[k+1]; fields[k+1] == was; {
				fields[k+1] = value(r, k+1)
			}
		}
		changes[i].After = evaluator.Input{User: user, Row: row(fields), Now: now}
	}
	return changes
}

// Undecoded returns the same changes with rows that nobody has read yet.
func Undecoded(changes []Change) []Change {
	fresh := make([]Change, len(changes))
	for i, c := range changes {
		fresh[i] = c
		fresh[i].Before.Row, _ = evaluator.NewRow(Schema, c.Before.Row.Tuple())
		fresh[i].After.Row, _ = evaluator.NewRow(Schema, c.After.Row.Tuple())
	}
	return fresh
}

func value(r *rand.Rand, column int) string {
	switch Schema.Columns[column].Name {
	case "account":
		return name("acc", r.IntN(Accounts))
	case "plan":
		return plans[r.IntN(len(plans))]
	case "country":
		return name("c", skewed(r, 40))
	case "city":
		return name("city", skewed(r, 500))
	case "email":
		return string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26))) + strconv.Itoa(r.IntN(1000)) + "@" + domain(r.IntN(200))
	case "seats":
		return strconv.Itoa(r.IntN(1000))
	case "score":
		return strconv.Itoa(r.IntN(10_000))
	case "active":
		return []string{"t", "f"}[r.IntN(2)]
	case "signup":
		return timestamp(Now - evaluator.Instant(r.Int64N(400*86_400_000_000)))
	}
	return timestamp(Now - evaluator.Instant(r.Int64N(60*86_400_000_000)))
}

// timestamp is an instant as Postgres prints it.
func timestamp(i evaluator.Instant) string {
	return strings.NewReplacer("T", " ", "Z", "+00").Replace(i.String())
}

func row(fields []string) *evaluator.Row {
	var t evaluator.Tuple
	for _, f := range fields {
		t = t.AppendText([]byte(f))
	}
	r, err := evaluator.NewRow(Schema, t)
	if err != nil {
		panic(err) // a bug of this package
	}
	for i := range Schema.Columns {
		r.Value(i)
	}
	return r
}
