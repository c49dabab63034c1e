package pipeline

import (
	"fmt"
	"maps"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// rule is one audience as a generation has it.
type rule struct {
	id         evaluator.AudienceID
	key        string
	version    uint32
	level      int // references to other audiences, counted along the longest chain
	definition *evaluator.Definition
}

func (r *rule) static() bool { return r.definition.Type == evaluator.Static }

// generation is a set of definitions in force from an epoch on, compiled. It is immutable.
type generation struct {
	state.Epoch
	schema    *evaluator.Schema
	rules     map[evaluator.AudienceID]*rule
	keys      map[string]*rule
	newJudge  func() Judge
	hasStatic bool
	settling  []*rule // audiences whose membership waits
}

// catalogue holds every audience known and the generations that records may still be judged by. It belongs to the run
// loop; generations are handed to the workers.
type catalogue struct {
	compiler    Compiler
	audiences   map[evaluator.AudienceID]*state.Audience
	ids         map[string]evaluator.AudienceID
	schemas     map[uint32]*evaluator.Schema
	generations []*generation // ascending, without gaps; the last is in force
	lastID      evaluator.AudienceID
	lastSchema  uint32
	last        uint64 // the last generation there was, also when a rebuild has left none in force
}

// loadCatalogue reads the catalogue from the state and compiles its generations.
func loadCatalogue(view *state.View, head state.Head, compiler Compiler) (*catalogue, error) {
	c := &catalogue{
		compiler:   compiler,
		audiences:  make(map[evaluator.AudienceID]*state.Audience),
		ids:        make(map[string]evaluator.AudienceID),
		lastID:     head.LastAudience,
		lastSchema: head.LastSchema,
		last:       head.Generation,
	}
	list, err := view.Audiences()
	if err != nil {
		return nil, err
	}
	for i := range list {
		c.audiences[list[i].ID] = &list[i]
		c.ids[list[i].Key] = list[i].ID
	}
	if c.schemas, err = view.Schemas(); err != nil {
		return nil, err
	}
	epochs, err := view.Epochs()
	if err != nil {
		return nil, err
	}
	for _, e := range epochs {
		g, err := c.compile(e)
		if err != nil {
			return nil, fmt.Errorf("definitions of generation %d: %w", e.Generation, err)
		}
		c.generations = append(c.generations, g)
	}
	return c, nil
}

// current is the generation in force, or nil before the first.
func (c *catalogue) current() *generation {
	if len(c.generations) == 0 {
		return nil
	}
	return c.generations[len(c.generations)-1]
}

// at returns a generation that records may still be judged by, or nil when it is retired.
func (c *catalogue) at(number uint64) *generation {
	if len(c.generations) == 0 {
		return nil
	}
	first := c.generations[0].Generation
	if number < first || number-first >= uint64(len(c.generations)) {
		return nil
	}
	return c.generations[number-first]
}

// following returns the generation after the given one, or nil when that one is in force.
func (c *catalogue) following(number uint64) *generation { return c.at(number + 1) }

// id returns the number of an audience key, giving it one at first sight.
func (c *catalogue) id(key string, b *state.Batch) (evaluator.AudienceID, error) {
	if id, ok := c.ids[key]; ok {
		return id, nil
	}
	c.lastID++
	a := &state.Audience{ID: c.lastID, Key: key}
	c.audiences[a.ID], c.ids[key] = a, a.ID
	return a.ID, b.SetAudience(a)
}

// schemaID returns the number of a schema, giving it one at first sight.
func (c *catalogue) schemaID(schema *evaluator.Schema, b *state.Batch) (uint32, error) {
	for id, known := range c.schemas {
		if known.Identical(schema) {
			return id, nil
		}
	}
	c.lastSchema++
	c.schemas[c.lastSchema] = schema
	return c.lastSchema, b.SetSchema(c.lastSchema, schema)
}

// advance puts the next generation into force: the definitions given replace those of their audiences, everything else
// stays. It returns the definitions that were refused, which change nothing: the version before keeps serving.
func (c *catalogue) advance(e state.Epoch, schema *evaluator.Schema, definitions []event.Definition, b *state.Batch) ([]refusal, error) {
	if g := c.current(); g != nil && schema == nil {
		schema = g.schema
	}
	e.Generation = c.last + 1
	var err error
	if e.Schema, err = c.schemaID(schema, b); err != nil {
		return nil, err
	}
	admitted, refused := c.admit(definitions, schema)
	for _, d := range admitted {
		id, err := c.id(d.Audience, b)
		if err != nil {
			return nil, err
		}
		a := c.audiences[id]
		a.Versions = append(a.Versions, state.Version{
			Generation: e.Generation, Number: d.Version, SHA: d.SHA, Archived: d.Archived, Document: d.Document,
		})
		if err := b.SetAudience(a); err != nil {
			return nil, err
		}
	}
	g, err := c.compile(e)
	if err != nil {
		return nil, fmt.Errorf("compile definitions: %w", err)
	}
	c.generations, c.last = append(c.generations, g), e.Generation
	return refused, b.SetEpoch(e)
}

// retire drops every generation before the one in force, once no record is judged by them.
func (c *catalogue) retire(b *state.Batch) error {
	g := c.current()
	if g == nil || len(c.generations) == 1 {
		return nil
	}
	for _, old := range c.generations[:len(c.generations)-1] {
		if err := b.DeleteEpoch(old.Generation); err != nil {
			return err
		}
	}
	c.generations = []*generation{g}
	for _, a := range c.audiences {
		if len(a.Versions) > 1 {
			a.Versions = a.Versions[len(a.Versions)-1:]
			if err := b.SetAudience(a); err != nil {
				return err
			}
		}
	}
	for id := range c.schemas {
		if id != g.Epoch.Schema {
			if err := b.DeleteSchema(id); err != nil {
				return err
			}
			delete(c.schemas, id)
		}
	}
	return nil
}

func (c *catalogue) compile(e state.Epoch) (*generation, error) {
	g := &generation{Epoch: e, schema: c.schemas[e.Schema], rules: make(map[evaluator.AudienceID]*rule, len(c.audiences)), keys: make(map[string]*rule, len(c.audiences))}
	if g.schema == nil {
		return nil, state.ErrCorrupt
	}
	previous := c.current()
	audiences := make([]evaluator.Audience, 0, len(c.audiences))
	for _, id := range slices.Sorted(maps.Keys(c.audiences)) {
		a := c.audiences[id]
		v := a.At(e.Generation)
		if v == nil || v.Archived {
			continue
		}
		r, err := ruleOf(previous, a, v)
		if err != nil {
			return nil, err
		}
		g.rules[id], g.keys[r.key] = r, r
		g.hasStatic = g.hasStatic || r.static()
		if r.definition.Settle.Waits() {
			g.settling = append(g.settling, r)
		}
		audiences = append(audiences, evaluator.Audience{ID: id, Definition: r.definition})
	}
	c.level(g)
	var err error
	g.newJudge, err = c.compiler.Compile(audiences, g.schema)
	return g, err
}

// ruleOf reuses the decoded definition of the generation before when it is the same version.
func ruleOf(previous *generation, a *state.Audience, v *state.Version) (*rule, error) {
	if previous != nil {
		if r := previous.rules[a.ID]; r != nil && r.version == v.Number && r.definition.SHA() == v.SHA {
			return &rule{id: a.ID, key: a.Key, version: v.Number, definition: r.definition}, nil
		}
	}
	d, err := evaluator.Decode(v.Document, a.Key)
	if err != nil {
		return nil, fmt.Errorf("audience %q version %d: %w", a.Key, v.Number, err)
	}
	return &rule{id: a.ID, key: a.Key, version: v.Number, definition: d}, nil
}

// level numbers the rules so that every audience comes after all it refers to. There are no cycles: a commit that would
// make one is refused.
func (c *catalogue) level(g *generation) {
	done := make(map[evaluator.AudienceID]bool, len(g.rules))
	var visit func(r *rule) int
	visit = func(r *rule) int {
		if done[r.id] {
			return r.level
		}
		done[r.id] = true
		for _, ref := range r.definition.References() {
			if to := g.rules[c.ids[ref.Audience]]; to != nil {
				r.level = max(r.level, visit(to)+1)
			}
		}
		return r.level
	}
	for _, r := range g.rules {
		visit(r)
	}
}
