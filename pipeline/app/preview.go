package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/evaluator/compiled"
	"muster/pipeline"
)

// previewer judges every user by a definition that is not in force.
type previewer struct {
	pipeline   *pipeline.Pipeline
	goroutines int
	mask       masked
	slots      chan struct{} // one preview at a time: each takes all cores
}

func newPreviewer(p *pipeline.Pipeline, goroutines int, mask masked) previewer {
	return previewer{p, goroutines, mask, make(chan struct{}, 1)}
}

// previewKey is the key of a draft that has none yet. No audience in force can have it.
const previewKey = "preview"

// previewTold is how often progress is told.
const previewTold = 100 * time.Millisecond

// Preview implements api.Previewer.
func (p previewer) Preview(ctx context.Context, q api.PreviewQuestion, progress func(api.PreviewProgress)) (found *api.Preview, err error) {
	began := time.Now()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	reading, err := p.pipeline.Read()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reading.Close()) }()
	t, err := newTrial(reading, q)
	if err != nil {
		return nil, err
	}
	t.mask = p.mask
	if q.After != "" {
		err = t.page(ctx)
	} else {
		err = t.count(ctx, p.goroutines, progress)
	}
	if err != nil {
		return nil, err
	}
	return t.result(time.Since(began)), nil
}

// trial is one definition being tried on every user.
type trial struct {
	reading    *pipeline.Reading
	question   api.PreviewQuestion
	definition *evaluator.Definition
	live       *pipeline.Audience // nil when there is none in force
	references map[evaluator.AudienceID]bool
	judges     func() pipeline.Judge
	mask       masked

	parts   []tally // of a count
	told    bool    // the first entries were told
	entries []api.PreviewUser
}

// tally is what was found in one part of the users. One goroutine at a time writes it while others look at the counts.
type tally struct {
	count, enter, leave        atomic.Int64
	mu                         sync.Mutex // of the rest
	entries, entering, leaving []api.PreviewUser
}

// newTrial checks the definition as a commit would, together with everything in force, and compiles it alone: what it
// refers to is there by its present members.
func newTrial(reading *pipeline.Reading, q api.PreviewQuestion) (*trial, error) {
	t := &trial{reading: reading, question: q, references: make(map[evaluator.AudienceID]bool)}
	key := q.Key
	if key == "" {
		for key = previewKey; ; key += "-" {
			if _, taken := reading.Audience(key); !taken {
				break
			}
		}
	}
	var beside []*evaluator.Definition
	for _, a := range reading.Audiences() {
		beside = append(beside, a.Definition)
	}
	decoded, err := evaluator.DecodeAll([]evaluator.Document{{Key: key, Text: q.Document}}, beside)
	var faults evaluator.SetFaults
	if errors.As(err, &faults) && q.Key == "" {
		for i := range faults { // the key was made up here, and means nothing to who asked
			if faults[i].Audience == key {
				faults[i].Audience = ""
			}
		}
	}
	if err != nil {
		return nil, err
	}
	t.definition = decoded[0]
	if faults := t.definition.CheckColumns(reading.Schema()); len(faults) > 0 {
		return nil, faults
	}
	id := ^evaluator.AudienceID(0)
	if live, ok := reading.Audience(key); ok {
		if live.Definition.Type != t.definition.Type {
			return nil, evaluator.Faults{{Path: "type", Message: fmt.Sprintf("the audience is %s and cannot become %s", live.Definition.Type, t.definition.Type)}}
		}
		t.live, id = &live, live.ID
	}
	return t, t.compile(id)
}

func (t *trial) compile(id evaluator.AudienceID) error {
	audiences := []evaluator.Audience{{ID: id, Definition: t.definition}}
	for _, ref := range t.definition.References() {
		to, ok := t.reading.Audience(ref.Audience)
		if !ok || t.references[to.ID] {
			continue
		}
		t.references[to.ID] = true
		// Given in the place of judged: a static audience is one whose members are known.
		audiences = append(audiences, evaluator.Audience{ID: to.ID, Definition: &evaluator.Definition{Key: to.Key, Name: to.Key, Type: evaluator.Static}})
	}
	set, err := compiled.Compile(audiences, t.reading.Schema())
	if err != nil {
		return err
	}
	t.judges = func() pipeline.Judge { return set.NewJudge() }
	return nil
}

// visitor judges users for one goroutine.
type visitor struct {
	trial *trial
	judge pipeline.Judge
	match evaluator.Match
	given []evaluator.Given
}

func (t *trial) visitor() *visitor { return &visitor{trial: t, judge: t.judges()} }

// verdict says whether a user would be in and whether it is in now.
func (v *visitor) verdict(u *pipeline.User) (would, is bool) {
	t := v.trial
	if t.live != nil {
		m := u.Record.Membership(t.live.ID, "")
		is = m != nil && m.In
	}
	switch {
	case u.Row == nil:
		return false, is
	case t.definition.Type == evaluator.Static:
		return is, is
	}
	v.given = t.reading.Given(v.given[:0], u, func(id evaluator.AudienceID) bool { return t.references[id] })
	in := evaluator.Input{User: u.ID, Row: u.Row, Now: t.reading.Now(), Given: v.given}
	v.judge.Match(&in, &v.match)
	return len(v.match.Members) > 0, is
}
