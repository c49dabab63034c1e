package api

import (
	"fmt"
	"strings"
	"time"
)

// Text is the explanation as a picture that can be pasted into a message to a customer.
func (e *Explanation) Text() string {
	p := picture{}
	p.heading(e)
	p.body(e, 1)
	if e.At != nil {
		fmt.Fprintf(&p.b, "\nAs of %s, at position %s of the log.\n", instant(*e.At), e.Position)
	}
	return p.b.String()
}

// picture draws explanations.
type picture struct{ b strings.Builder }

func (p *picture) line(depth int, format string, args ...any) {
	p.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&p.b, format, args...)
	p.b.WriteByte('\n')
}

func (p *picture) heading(e *Explanation) {
	is := "is NOT in"
	if e.Member {
		is = "is in"
	}
	place := ""
	if e.Environment != "" {
		place = " of " + e.Environment
	}
	p.line(0, "%s %s %s (%s audience%s, version %d)", e.User, is, e.Audience, e.Type, place, e.Version)
	p.facts(e, 1)
	p.b.WriteByte('\n')
}

// facts are what is known beside the conditions.
func (p *picture) facts(e *Explanation, depth int) {
	switch {
	case e.Missing:
		p.line(depth, "not in the users table, and so in no audience")
	case e.Member && e.Since != nil:
		p.line(depth, "since %s, entry number %d%s", instant(*e.Since), e.EntryCount, by(e))
	case e.EntryCount > 0:
		p.line(depth, "has been in before: entered %d times so far; left%s", e.EntryCount, by(e))
	}
	if e.Waiting != nil {
		what := "leaves"
		if e.Waiting.Entering {
			what = "enters"
		}
		p.line(depth, "%s at %s if the conditions stay as they are until then", what, instant(e.Waiting.Until))
	}
	if e.Until != nil {
		p.line(depth, "time alone changes the verdict at %s", instant(*e.Until))
	}
	if e.Pending {
		p.line(depth, "version %d is just coming into force, and this user has yet to be judged by it", e.Version)
	}
	for _, t := range e.Tenants {
		p.line(depth, "with tenant %q since %s", t.Tenant, instant(t.Since))
	}
}

// causeTexts say what a cause means.
var causeTexts = map[string]string{
	"change": "a change of the user", "timer": "time passing", "static": "being added or removed by hand", "reference": "another audience it refers to",
	"definition": "a new version of the definition", "snapshot": "the first snapshot", "rebuild": "a rebuild", "delete": "the user's deletion",
	"identified": "the user appearing",
}

func by(e *Explanation) string {
	text := ""
	if cause := causeTexts[e.Cause]; cause != "" {
		text = ", by " + cause
	}
	if e.By != 0 && e.By != e.Version {
		text += fmt.Sprintf(", under version %d", e.By)
	}
	return text
}

func (p *picture) body(e *Explanation, depth int) {
	for i, s := range e.Segments {
		switch {
		case len(e.Segments) == 1:
			p.line(depth, "%s all of", mark(s.Holds))
		case i == 0:
			p.line(depth, "%s either all of", mark(s.Holds))
		default:
			p.line(depth, "%s or all of", mark(s.Holds))
		}
		p.conditions(s.Conditions, depth+1)
	}
	if len(e.Segments) == 0 && e.Type == "static" {
		p.line(depth, "%s recorded as a member", mark(e.Holds || len(e.Tenants) > 0))
	}
}

var groupTexts = map[string]string{"all": "all of", "any": "at least one of", "not": "not"}

func (p *picture) conditions(list []ExplainedCondition, depth int) {
	for i := range list {
		c := &list[i]
		if c.Group != "" {
			p.line(depth, "%s %s", mark(c.Holds), groupTexts[c.Group])
			p.conditions(c.Conditions, depth+1)
			continue
		}
		p.line(depth, "%s %s", mark(c.Holds), question(c))
		if found := finding(c); found != "" {
			p.line(depth+2, "%s", found)
		}
		if c.Reference != nil {
			p.facts(c.Reference, depth+2)
			p.body(c.Reference, depth+2)
		}
	}
}

// question is what a condition asks.
func question(c *ExplainedCondition) string {
	words := make([]string, 0, 4)
	if c.Property != "" {
		words = append(words, c.Property)
	}
	words = append(words, c.Operator)
	if len(c.Argument) > 0 && string(c.Argument) != "null" {
		words = append(words, short(c.Argument))
	}
	if c.IgnoreCase {
		words = append(words, "(ignoring case)")
	}
	return strings.Join(words, " ")
}

// finding is what was found.
func finding(c *ExplainedCondition) string {
	var parts []string
	switch {
	case c.Masked:
		parts = append(parts, "the value is not shown")
	case c.Property != "" && string(c.Value) == "null":
		parts = append(parts, "it is not set")
	case c.Property != "" && len(c.Value) > 0:
		parts = append(parts, "it is "+short(c.Value))
	}
	if len(c.Resolved) > 0 {
		resolved := make([]string, len(c.Resolved))
		for i, r := range c.Resolved {
			resolved[i] = short(r)
		}
		parts = append(parts, "compared with "+strings.Join(resolved, " to "))
	}
	if c.Until != nil {
		parts = append(parts, "changes at "+instant(*c.Until))
	}
	return strings.Join(parts, "; ")
}

// short keeps long values from filling the picture.
func short(value []byte) string {
	const enough = 80
	runes := []rune(string(value))
	if len(runes) > enough {
		return string(runes[:enough]) + "..."
	}
	return string(runes)
}

func mark(holds bool) string {
	if holds {
		return "[yes]"
	}
	return "[no] "
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999 UTC") }
