package main

import (
	"slices"

	"muster/evaluator"
	"muster/evaluator/compiled"
	"muster/evaluator/compiled/workload"
	"muster/evaluator/plain"
)

var entrants = []entrant{
	{"muster, all operators", false, 100_000, newMuster},
	{"muster, undecoded rows", false, 100_000, newUndecoded},
	{"muster", true, 100_000, newMuster},
	{"plain", true, 10_000, newPlain},
	{"expr", true, 10_000, shipped(newExpr)},
	{"expr, helped", true, 10_000, helped(newExpr)},
	{"cel-go", true, 10_000, shipped(newCEL)},
	{"cel-go, helped", true, 10_000, helped(newCEL)},
	{"launchdarkly", true, 10_000, shipped(newLaunchDarkly)},
	{"launchdarkly, helped", true, 10_000, helped(newLaunchDarkly)},
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

func (o *own) diff(change int) ([]evaluator.AudienceID, error) {
	c := &o.changes[change]
	if o.fresh {
		for _, r := range []*evaluator.Row{c.Before.Row, c.After.Row} {
			if err := r.Reset(workload.Schema, r.Tuple()); err != nil {
				return nil, err
			}
		}
	}
	o.judge.Diff(&c.Before, &c.After, &o.diffs)
	o.ids = o.ids[:0]
	for _, d := range o.diffs.Changes {
		o.ids = append(o.ids, d.Audience)
	}
	if !slices.IsSorted(o.ids) {
		slices.Sort(o.ids)
	}
	return o.ids, nil
}
