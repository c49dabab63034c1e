package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/evaluator/plain"
	"muster/pipeline"
	"muster/pipeline/event"
)

// explainer explains memberships by live state.
type explainer struct {
	pipeline *pipeline.Pipeline
	mask     masked
}

// Explain implements api.Explainer.
func (x explainer) Explain(_ context.Context, key, user string) (e *api.Explanation, known bool, err error) {
	reading, err := x.pipeline.Read()
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, reading.Close()) }()
	audience, known := reading.Audience(key)
	if !known {
		return nil, false, nil
	}
	u, found, err := reading.User(user)
	if err != nil || !found {
		return nil, true, err
	}
	set, err := plain.Compile(closure(reading, audience), reading.Schema())
	if err != nil {
		return nil, true, fmt.Errorf("audience %q: %w", key, err)
	}
	w := explaining{reading: reading, user: &u, in: reading.Input(&u), judge: set.NewJudge(), mask: x.mask, told: make(map[string]bool)}
	e = w.audience(audience)
	e.Position, e.At = reading.Position().String(), instantPointer(reading.Now())
	return e, true, nil
}

// closure is an audience and all it refers to, through any number of references.
func closure(reading *pipeline.Reading, audience pipeline.Audience) []evaluator.Audience {
	list := []evaluator.Audience{{ID: audience.ID, Definition: audience.Definition}}
	seen := map[string]bool{audience.Key: true}
	for i := 0; i < len(list); i++ {
		for _, ref := range list[i].Definition.References() {
			if to, ok := reading.Audience(ref.Audience); ok && !seen[to.Key] {
				seen[to.Key] = true
				list = append(list, evaluator.Audience{ID: to.ID, Definition: to.Definition})
			}
		}
	}
	return list
}

// explaining is one explanation being made.
type explaining struct {
	reading *pipeline.Reading
	user    *pipeline.User
	in      evaluator.Input
	judge   *plain.Judge
	mask    masked
	told    map[string]bool // audiences explained: each is told once
}

func (w *explaining) audience(a pipeline.Audience) *api.Explanation {
	w.told[a.Key] = true
	e := &api.Explanation{
		Audience: a.Key, Name: a.Definition.Name, Type: a.Definition.Type.String(), Version: a.Version, User: w.user.ID,
		Missing: w.user.Row == nil, Pending: w.user.Row != nil && !w.reading.Current(w.user),
	}
	record := &w.user.Record
	for _, m := range record.OfAudience(a.ID) {
		if m.Tenant != "" {
			if m.In {
				e.Tenants = append(e.Tenants, api.ExplainedTenant{Tenant: m.Tenant, Since: m.EnteredAt.Time()})
			}
			continue
		}
		e.Member, e.EntryCount, e.By = m.In, m.Count, m.Version
		if m.In {
			e.Since = instantPointer(m.EnteredAt)
		}
		if m.Cause != 0 && m.Cause <= event.CauseIdentified {
			e.Cause = m.Cause.String()
		}
	}
	if wait := record.Wait(a.ID); wait != nil {
		e.Waiting = &api.ExplainedWait{Entering: !e.Member, Until: wait.Due.Time()}
	}
	explained, ok := w.judge.Explain(&w.in, a.ID)
	if !ok {
		return e
	}
	e.Holds, e.Until = explained.Holds, instantPointer(explained.NextFlip)
	for _, segment := range explained.Segments {
		e.Segments = append(e.Segments, w.segment(segment))
	}
	return e
}

func (w *explaining) segment(list []plain.ExplainedCondition) api.ExplainedSegment {
	s := api.ExplainedSegment{Holds: w.in.Row != nil, Conditions: make([]api.ExplainedCondition, len(list))}
	for i := range list {
		s.Conditions[i] = w.condition(&list[i])
		s.Holds = s.Holds && list[i].Holds
	}
	return s
}

func (w *explaining) condition(from *plain.ExplainedCondition) api.ExplainedCondition {
	c := from.Condition
	e := api.ExplainedCondition{At: c.At, Group: c.Group.String(), Holds: from.Holds}
	if c.Group != evaluator.Leaf {
		for i := range from.Conditions {
			e.Conditions = append(e.Conditions, w.condition(&from.Conditions[i]))
		}
		return e
	}
	e.Operator, e.IgnoreCase, e.Until = c.Operator.String(), c.IgnoreCase, instantPointer(from.NextFlip)
	if written := c.Argument.Written(); !written.IsNull() {
		e.Argument = written.AppendJSON(nil)
	}
	switch {
	case c.Operator.IsMembership():
		e.Value = from.Value.AppendJSON(nil)
		if to, ok := w.reading.Audience(c.Argument.Reference.Audience); ok && !w.told[to.Key] {
			e.Reference = w.audience(to)
		}
	case c.Operator.ReadsProperty():
		e.Property = c.Property.String()
		if e.Masked = w.mask.hides(c.Property); !e.Masked {
			e.Value = from.Value.AppendJSON(nil)
		}
		e.Resolved = w.resolved(&c.Argument, from.Argument)
	}
	return e
}

// resolved is what was compared with, where the definition does not say it itself.
func (w *explaining) resolved(a *evaluator.Argument, values []evaluator.Value) []json.RawMessage {
	arguments := []*evaluator.Argument{a}
	if a.Kind == evaluator.ArgumentBetween {
		arguments = []*evaluator.Argument{&a.Ends[0], &a.Ends[1]}
	}
	var list []json.RawMessage
	computed := false
	for i, value := range values {
		argument := arguments[min(i, len(arguments)-1)]
		computed = computed || argument.Kind == evaluator.ArgumentDynamic || argument.Kind == evaluator.ArgumentRelative
		text := value.AppendJSON(nil)
		if argument.Kind == evaluator.ArgumentDynamic && w.mask.hides(argument.Path) {
			text = []byte(`"(not shown)"`)
		}
		list = append(list, text)
	}
	if !computed {
		return nil
	}
	return list
}

// instantPointer is an instant as JSON has it: none where there is none, or it is beyond what a date can say.
func instantPointer(i evaluator.Instant) *time.Time {
	if !i.Finite() {
		return nil
	}
	t := i.Time()
	if t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return &t
}
