package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// change is a transaction that makes versions in one environment. It holds the environment's lock and knows what is there,
// so that rules that span audiences are judged on what the set will be.
type change struct {
	control     *Control
	tx          pgx.Tx
	environment string
	latest      map[string]event.Definition // by key, archived ones included
	drafts      map[string]draft
	touched     map[string]bool // keys with a version made by this change
	made        []Committed
}

// draft is a row of drafts.
type draft struct {
	audience, kind, sha string
	document            []byte
	base                uint32
	author              event.Author
}

func (c *Control) change(ctx context.Context, tx pgx.Tx, environment string) (*change, error) {
	if err := c.lock(ctx, tx, environment); err != nil {
		return nil, err
	}
	x := &change{control: c, tx: tx, environment: environment, latest: make(map[string]event.Definition), drafts: make(map[string]draft), touched: make(map[string]bool)}
	list, err := latestDefinitions(ctx, tx, c.schema, environment)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		x.latest[d.Audience] = d
	}
	rows, err := tx.Query(ctx, `SELECT audience, type, sha, document, base_version, author_name, author_email FROM `+c.table("drafts")+` WHERE environment = $1`, environment)
	if err != nil {
		return nil, fmt.Errorf("read the drafts of %s: %w", environment, err)
	}
	var d draft
	_, err = pgx.ForEachRow(rows, []any{&d.audience, &d.kind, &d.sha, &d.document, &d.base, &d.author.Name, &d.author.Email}, func() error {
		d.document = slices.Clone(d.document)
		x.drafts[d.audience] = d
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the drafts of %s: %w", environment, err)
	}
	return x, nil
}

// live returns the latest version of a key, nil when there is none or it is archived.
func (x *change) live(key string) *event.Definition {
	if d, ok := x.latest[key]; ok && !d.Archived {
		return &d
	}
	return nil
}

// commit makes a version.
func (x *change) commit(ctx context.Context, v Version, author Author) error {
	made, err := x.control.insert(ctx, x.tx, x.environment, v, author)
	if err != nil {
		return err
	}
	x.latest[v.Audience] = event.Definition{Audience: v.Audience, Version: made.Version, SHA: v.SHA, Document: v.Document, Archived: v.Archived}
	x.touched[v.Audience] = true
	x.made = append(x.made, made)
	return nil
}

// check judges the set as this change leaves it: no version that it made may ask of an audience that does not exist, of
// itself, or a tenant of a dynamic one. What was wrong before, between audiences that it does not touch, is not its fault.
func (x *change) check() error {
	set, err := x.set()
	if err != nil {
		return err
	}
	var faults, ours evaluator.SetFaults
	if errors.As(evaluator.CheckSet(set), &faults) {
		for _, f := range faults {
			if x.touched[f.Audience] {
				ours = append(ours, f)
			}
		}
	}
	if len(ours) > 0 {
		return ours
	}
	return nil
}

// set is every live definition, in the order of the keys.
func (x *change) set() ([]*evaluator.Definition, error) {
	var set []*evaluator.Definition
	for _, key := range slices.Sorted(maps.Keys(x.latest)) {
		latest := x.live(key)
		if latest == nil {
			continue
		}
		d, err := evaluator.Decode(latest.Document, key)
		switch {
		case err != nil && x.touched[key]:
			return nil, fmt.Errorf("audience %q: %w", key, err)
		case err == nil:
			set = append(set, d)
		}
	}
	return set, nil
}

// dropDraft removes the draft of a key.
func (x *change) dropDraft(ctx context.Context, key string) error {
	if _, ok := x.drafts[key]; !ok {
		return nil
	}
	delete(x.drafts, key)
	_, err := x.tx.Exec(ctx, `DELETE FROM `+x.control.table("drafts")+` WHERE environment = $1 AND audience = $2`, x.environment, key)
	if err != nil {
		return fmt.Errorf("remove the draft of audience %q in %s: %w", key, x.environment, err)
	}
	return nil
}
