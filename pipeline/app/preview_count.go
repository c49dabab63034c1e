package app

import (
	"context"
	"time"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/pipeline"
)

// count judges every user on all cores, and tells meanwhile what it has found.
func (t *trial) count(ctx context.Context, goroutines int, progress func(api.PreviewProgress)) error {
	scan, err := t.reading.NewScan()
	if err != nil {
		return err
	}
	t.parts = make([]tally, scan.Parts())
	done := make(chan error, 1)
	go func() { done <- scan.Run(ctx, goroutines, t.visitors) }()
	ticker := time.NewTicker(previewTold)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ticker.C:
			progress(t.progress(scan))
		}
	}
}

// visitors makes the visitor of one goroutine.
func (t *trial) visitors() pipeline.Visitor {
	v := t.visitor()
	return func(part int, u *pipeline.User) error {
		would, is := v.verdict(u)
		p := &t.parts[part]
		if would {
			p.count.Add(1)
			t.keep(p, &p.entries, u)
		}
		switch {
		case would && !is:
			p.enter.Add(1)
			t.keep(p, &p.entering, u)
		case is && !would:
			p.leave.Add(1)
			t.keep(p, &p.leaving, u)
		}
		return nil
	}
}

// keep adds a user to one of a part's lists unless that is long enough.
func (t *trial) keep(p *tally, list *[]api.PreviewUser, u *pipeline.User) {
	if len(*list) >= t.question.Limit { // only this goroutine appends
		return
	}
	shown := t.show(u)
	p.mu.Lock()
	*list = append(*list, shown)
	p.mu.Unlock()
}

// progress is what was found so far. The first entries are told once they cannot be preceded by others any more.
func (t *trial) progress(scan *pipeline.Scan) api.PreviewProgress {
	p := api.PreviewProgress{Users: scan.Visited()}
	done, first := 0, true
	var entries []api.PreviewUser
	for i := range t.parts {
		part := &t.parts[i]
		p.Count, p.Enter, p.Leave = p.Count+part.count.Load(), p.Enter+part.enter.Load(), p.Leave+part.leave.Load()
		complete := scan.Done(i)
		if complete {
			done++
		}
		if first && !t.told && len(entries) < t.question.Limit {
			part.mu.Lock()
			entries = append(entries, part.entries...)
			part.mu.Unlock()
			first = complete
		}
	}
	if !t.told && len(entries) >= t.question.Limit {
		t.told, p.Entries = true, entries[:t.question.Limit]
	}
	p.Fraction = float64(done) / float64(len(t.parts))
	return p
}

// page looks for the next members alone, without counting.
func (t *trial) page(ctx context.Context) error {
	v := t.visitor()
	n := 0
	return t.reading.Users(t.question.After, func(u *pipeline.User) (bool, error) {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if would, _ := v.verdict(u); would {
			t.entries = append(t.entries, t.show(u))
		}
		return len(t.entries) < t.question.Limit, nil
	})
}

// result puts together what was found.
func (t *trial) result(took time.Duration) *api.Preview {
	r := &api.Preview{Position: t.reading.Position().String(), At: t.reading.Now().Time(), TookMS: took.Milliseconds(), Entries: t.entries}
	if t.question.Key != "" {
		r.Audience = t.definition.Key
	}
	if t.live != nil {
		r.Live = &t.live.Version
	}
	if t.parts != nil {
		var count, enter, leave int64
		for i := range t.parts {
			p := &t.parts[i]
			count, enter, leave = count+p.count.Load(), enter+p.enter.Load(), leave+p.leave.Load()
			r.Entries = append(r.Entries, p.entries...)
			r.Entering, r.Leaving = append(r.Entering, p.entering...), append(r.Leaving, p.leaving...)
		}
		r.Count, r.Enter, r.Leave = &count, &enter, &leave
		r.Entries = r.Entries[:min(len(r.Entries), t.question.Limit)]
	}
	for _, w := range t.definition.Warnings {
		r.Warnings = append(r.Warnings, api.FieldError{Field: w.Path, Type: "warning", Message: w.Message})
	}
	if t.definition.Settle.Waits() {
		r.Notes = append(r.Notes, "the audience settles: this is what its conditions say now, which memberships follow when they have lasted")
	}
	if t.reading.Backfilling() {
		r.Notes = append(r.Notes, "a definition is just coming into force: the memberships that this is compared with, or refers to, are those of the version before for some users")
	}
	return r
}

// show is a user with the properties that may be seen: its columns, and the keys of its document that no column hides.
func (t *trial) show(u *pipeline.User) api.PreviewUser {
	schema := t.reading.Schema()
	var members []evaluator.Member
	add := func(name string, value evaluator.Value) {
		if t.mask.hides(evaluator.Path{name}) {
			value = evaluator.StringValue("(not shown)")
		}
		members = append(members, evaluator.Member{Key: name, Value: value})
	}
	if u.Row == nil {
		return api.PreviewUser{ID: u.ID, Properties: []byte(`null`)}
	}
	for i, column := range schema.Columns {
		value := u.Row.Read(schema.Resolve(evaluator.Path{column.Name}))
		if i != schema.Properties {
			add(column.Name, value)
			continue
		}
		for _, m := range value.Members() {
			if schema.Column(m.Key) < 0 && !schema.IsHidden(m.Key) {
				add(m.Key, m.Value)
			}
		}
	}
	return api.PreviewUser{ID: u.ID, Properties: evaluator.ObjectValue(members).AppendJSON(nil)}
}
