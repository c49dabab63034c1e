package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"muster/evaluator"
)

// wire is the published form of an event as encoding/json reads it. Pointers and raw messages tell an absent key from a
// zero value.
type wire struct {
	ID          *string         `json:"id"`
	Sequence    *uint64         `json:"sequence"`
	Type        *string         `json:"type"`
	Environment *string         `json:"environment"`
	Audience    *string         `json:"audience"`
	Version     *uint32         `json:"audience_version"`
	User        *string         `json:"user_id"`
	Tenant      json.RawMessage `json:"tenant"`
	OccurredAt  *string         `json:"occurred_at"`
	Cause       *string         `json:"cause"`
	Trigger     *bool           `json:"trigger"`
	EntryCount  *uint64         `json:"entry_count"`
	EnteredAt   *string         `json:"entered_at"`
	Position    *wirePosition   `json:"position"`
	Properties  json.RawMessage `json:"user"`
}

type wirePosition struct {
	LSN   *string `json:"lsn"`
	Index *uint32 `json:"index"`
}

// ParseJSON reads what AppendJSON writes, for tools and tests that check what was published. It is strict: an absent,
// unknown or malformed key, anything after the object, and an id that is not the event's own are errors. Blanks and
// the order of keys are free. CommittedAt is not published and stays zero.
func ParseJSON(document []byte) (Event, error) {
	var w wire
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&w); err != nil {
		return Event{}, fmt.Errorf("event: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Event{}, errors.New("event: data after the object")
	}
	if missing := w.missing(); len(missing) > 0 {
		return Event{}, fmt.Errorf("event: no %s", strings.Join(missing, ", "))
	}
	e, err := w.event()
	if err != nil {
		return Event{}, fmt.Errorf("event: %w", err)
	}
	if id := e.ID(); id != *w.ID {
		return Event{}, fmt.Errorf("event: id is %q, but what it says makes it %q", *w.ID, id)
	}
	return e, nil
}

func (w *wire) missing() []string {
	var names []string
	for _, field := range []struct {
		name   string
		absent bool
	}{
		{"id", w.ID == nil}, {"sequence", w.Sequence == nil}, {"type", w.Type == nil},
		{"environment", w.Environment == nil}, {"audience", w.Audience == nil},
		{"audience_version", w.Version == nil}, {"user_id", w.User == nil}, {"tenant", w.Tenant == nil},
		{"occurred_at", w.OccurredAt == nil}, {"cause", w.Cause == nil}, {"trigger", w.Trigger == nil},
		{"entry_count", w.EntryCount == nil}, {"entered_at", w.EnteredAt == nil},
		{"position", w.Position == nil || w.Position.LSN == nil || w.Position.Index == nil},
	} {
		if field.absent {
			names = append(names, field.name)
		}
	}
	return names
}

// event converts a wire without absent keys.
func (w *wire) event() (e Event, err error) {
	var faults []error
	check := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	e = Event{
		Sequence: *w.Sequence, Environment: *w.Environment, Audience: *w.Audience, Version: *w.Version,
		User: *w.User, Trigger: *w.Trigger, EntryCount: *w.EntryCount,
	}
	e.Type, err = ParseType(*w.Type)
	check(err)
	e.Cause, err = ParseCause(*w.Cause)
	check(err)
	e.OccurredAt, err = parseInstant("occurred_at", *w.OccurredAt)
	check(err)
	e.EnteredAt, err = parseInstant("entered_at", *w.EnteredAt)
	check(err)
	e.Position.LSN, err = ParseLSN(*w.Position.LSN)
	check(err)
	e.Position.Index = *w.Position.Index
	e.Tenant, err = parseTenant(w.Tenant)
	check(err)
	if w.Properties != nil {
		if w.Properties[0] != '{' {
			check(errors.New("user is not an object"))
		}
		e.Properties = []byte(w.Properties)
	}
	return e, errors.Join(faults...)
}

func parseTenant(raw json.RawMessage) (string, error) {
	var tenant *string
	switch err := json.Unmarshal(raw, &tenant); {
	case err != nil:
		return "", fmt.Errorf("tenant: %w", err)
	case tenant == nil:
		return "", nil
	case *tenant == "":
		return "", errors.New(`tenant is "", none is null`)
	}
	return *tenant, nil
}

func parseInstant(name, text string) (evaluator.Instant, error) {
	t, err := time.Parse(instantLayout, text)
	if err != nil || len(text) != len(instantLayout) {
		return 0, fmt.Errorf("%s is %q, not an instant as in 2026-01-02T03:04:05.678901Z", name, text)
	}
	return evaluator.InstantOf(t), nil
}

// ParseType returns the type of that published name.
func ParseType(name string) (Type, error) {
	for t := Entered; t <= Exited; t++ {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("unknown type %q", name)
}

// ParseCause returns the cause of that published name.
func ParseCause(name string) (Cause, error) {
	for c := CauseChange; int(c) < len(causes); c++ {
		if causes[c] == name {
			return c, nil
		}
	}
	return 0, fmt.Errorf("unknown cause %q", name)
}

// ParseLSN reads what LSN.String writes.
func ParseLSN(text string) (LSN, error) {
	high, low, found := strings.Cut(text, "/")
	h, errHigh := strconv.ParseUint(high, 16, 32)
	l, errLow := strconv.ParseUint(low, 16, 32)
	if lsn := LSN(h<<32 | l); found && errHigh == nil && errLow == nil && lsn.String() == text {
		return lsn, nil
	}
	return 0, fmt.Errorf("lsn is %q, not one as in 0/1A2B3C8", text)
}
