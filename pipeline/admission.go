package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
)

// refusal is a committed definition that cannot serve.
type refusal struct {
	definition event.Definition
	err        error
}

// admit splits definitions into those that can come into force together with what is already there, and the rest, for
// which the version before keeps serving. Whoever commits through Muster was told before; rows written by other hands
// are caught here.
func (c *catalogue) admit(definitions []event.Definition, schema *evaluator.Schema) (admitted []event.Definition, refused []refusal) {
	latest := make(map[string]event.Definition)
	for _, d := range definitions {
		latest[d.Audience] = d // several versions in one transaction: the last is what was committed
	}
	refuse := func(key string, err error) {
		refused = append(refused, refusal{latest[key], err})
		delete(latest, key)
	}
	decoded := make(map[string]*evaluator.Definition)
	for _, key := range slices.Sorted(maps.Keys(latest)) {
		d, err := c.decode(latest[key])
		if faults := hiddenColumns(d, schema); err == nil && len(faults) > 0 && !latest[key].Archived {
			err = faults
		}
		if err != nil {
			refuse(key, err)
			continue
		}
		decoded[key] = d
	}
	for {
		blamed := c.blame(latest, decoded)
		if len(blamed) == 0 {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(blamed)) {
			refuse(key, blamed[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(latest)) {
		admitted = append(admitted, latest[key])
	}
	return admitted, refused
}

// hiddenColumns are the faults of a definition that names columns which cannot be read.
func hiddenColumns(d *evaluator.Definition, schema *evaluator.Schema) evaluator.Faults {
	if d == nil {
		return nil
	}
	return d.CheckColumns(schema)
}

// decode reads one definition and holds it against what its key was before.
func (c *catalogue) decode(d event.Definition) (*evaluator.Definition, error) {
	definition, err := evaluator.Decode(d.Document, d.Audience)
	if err != nil {
		return nil, err
	}
	a := c.audiences[c.ids[d.Audience]]
	if a == nil || len(a.Versions) == 0 {
		return definition, nil
	}
	last := a.Versions[len(a.Versions)-1]
	before, err := evaluator.Decode(last.Document, d.Audience)
	if err != nil {
		return nil, fmt.Errorf("version %d in force: %w", last.Number, err)
	}
	if before.Type != definition.Type {
		return nil, fmt.Errorf("type is %s and cannot become %s", before.Type, definition.Type)
	}
	return definition, nil
}

// blame returns which of the new definitions must not come into force, and why. References are judged over the whole
// set as it would be. When an audience that stays as it is would lose what it refers to, the archives are to blame.
func (c *catalogue) blame(latest map[string]event.Definition, decoded map[string]*evaluator.Definition) map[string]error {
	set := make(map[string]*evaluator.Definition)
	if g := c.current(); g != nil {
		for _, r := range g.rules {
			set[r.key] = r.definition
		}
	}
	for key, d := range latest {
		if d.Archived {
			delete(set, key)
		} else {
			set[key] = decoded[key]
		}
	}
	var faults evaluator.SetFaults
	if !errors.As(evaluator.CheckSet(sortedDefinitions(set)), &faults) {
		return nil
	}
	blamed := make(map[string]error)
	for _, f := range faults {
		if _, isNew := latest[f.Audience]; isNew {
			blamed[f.Audience] = errors.Join(blamed[f.Audience], errors.New(f.String()))
		}
	}
	if len(blamed) > 0 {
		return blamed
	}
	for key := range latest {
		blamed[key] = faults
	}
	return blamed
}

// sortedDefinitions returns the definitions in the order of their keys, so that the same faults come in the same order.
func sortedDefinitions(set map[string]*evaluator.Definition) []*evaluator.Definition {
	list := make([]*evaluator.Definition, 0, len(set))
	for _, key := range slices.Sorted(maps.Keys(set)) {
		list = append(list, set[key])
	}
	return list
}
