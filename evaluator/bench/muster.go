package main

import (
	"slices"

	"muster/evaluator"
	"muster/evaluator/compiled"
	"muster/evaluator/compiled/workload"
	"muster/evaluator/plain"
)

// The product on the operators that rivals have, and its own slow evaluator, which is no rival.
const (
	product = "muster"
	oracle  = "plain"
)

var entrants = []entrant{
	{"muster, all operators", false, false, newMuster},
	{"muster, undecoded rows", false, false, newUndecoded},
	{product, true, false, newMuster},
	{oracle, true, true, newPlain},
	{"expr", true, true, shipped(newExpr)},
	{"expr, helped", true, true, helped(newExpr)},
	{"cel-go", true, true, shipped(newCEL)},
	{"cel-go, helped", true, true, helped(newCEL)},
	{"launchdarkly", true, true, shipped(newLaunchDarkly)},
	{"launchdarkly, helped", true, true, helped(newLaunchDarkly)},
}

// differ is what both of the product's evaluators offer.
type differ interface {
	Diff(before, after *evaluator.Input, out *evaluator.Diff)
}

// own is one of the product's evaluators.
type own struct {
	judge   differ
	changes []workload.Change
	diffs   evaluator.Diff
	ids     []evaluator.AudienceID
	fresh   bool // rows are read anew from their bytes each time
}

func newMuster(audiences []evaluator.Audience, changes []workload.Change) (subject, error) {
	set, err := compiled.Compile(audiences, workload.Schema)
	if err != nil {
		return nil, err
	}
	return &own{judge: set.NewJudge(), changes: changes}, nil
}

func newUndecoded(audiences []evaluator.Audience, changes []workload.Change) (subject, error) {
	s, err := newMuster(audiences, workload.Undecoded(changes))
	if err == nil {
		s.(*own).fresh = true
	}
	return s, err
}

func newPlain(audiences []evaluator.Audience, changes []workload.Change) (subject, error) {
	set, err := plain.Compile(audiences, workload.Schema)
	if err != nil {
		return nil, err
	}
	return &own{judge: set.NewJudge(), changes: changes}, nil
}

func (o *own) diff(change int) error {
	c := &o.changes[change]
	if o.fresh {
		for _, r := range []*evaluator.Row{c.Before.Row, c.After.Row} {
			if err := r.Reset(workload.Schema, r.Tuple()); err != nil {
				return err
			}
		}
	}
	o.judge.Diff(&c.Before, &c.After, &o.diffs)
	return nil
}

func (o *own) found() []evaluator.AudienceID {
	o.ids = o.ids[:0]
	for _, d := range o.diffs.Changes {
		o.ids = append(o.ids, d.Audience)
	}
	slices.Sort(o.ids)
	return o.ids
}
