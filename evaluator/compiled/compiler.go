package compiled

import (
	"sync"

	"muster/evaluator"
)

const (
	// mergeAt is how many audiences beside its base make a set worth compiling anew, which happens in the background: until
	// then they cost a second, small segment.
	mergeAt = 64
	// anewAt is how many of them make it worth waiting for that.
	anewAt = 1024
)

// Compiler compiles one set after another. It finds out by itself what changed, by the identity of definitions, and
// compiles only that: one audience more among ten thousand is in force after milliseconds. It is used by one goroutine,
// and has one of its own while it merges, which Close waits for.
type Compiler struct {
	known   *Statistics
	base    *base
	merging sync.WaitGroup
	mu      sync.Mutex
	merged  *base // a newer base that is ready; guarded by mu
	busy    bool  // a merge is under way; guarded by mu
}

// NewCompiler returns a compiler. Close it after use.
func NewCompiler() *Compiler { return &Compiler{known: NewStatistics()} }

// Statistics returns what the compiler learns of values from: see Statistics.Observe.
func (c *Compiler) Statistics() *Statistics { return c.known }

// Compile returns a set of the audiences, as the function Compile does. Definitions that are the same object as in the set
// before are not compiled again, and must not have changed.
func (c *Compiler) Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (*Set, error) {
	sorted, err := topological(audiences)
	if err != nil {
		return nil, err
	}
	o := options{known: c.known}
	b := c.best(schema)
	if b == nil || c.lacking(b, sorted) > anewAt {
		c.base = newBase(sorted, schema, o)
		return compose(audiences, sorted, c.base, o), nil
	}
	c.base = b
	if c.lacking(b, sorted) > mergeAt || c.known.drifted() {
		c.merge(sorted, schema, o)
	}
	return compose(audiences, sorted, b, o), nil
}

// best returns the newest base for a schema, or nil when there is none.
func (c *Compiler) best(schema *evaluator.Schema) *base {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.merged != nil {
		c.base, c.merged = c.merged, nil
	}
	if c.base == nil || !c.base.segment.schema.Equal(schema) {
		return nil
	}
	return c.base
}

// lacking counts the audiences that a base does not have as they are, or has and should not.
func (c *Compiler) lacking(b *base, sorted []evaluator.Audience) int {
	same := 0
	for _, a := range sorted {
		if i, ok := b.at[a.ID]; ok && b.segment.audiences[i].definition == a.Definition {
			same++
		}
	}
	return len(sorted) - same + len(b.segment.audiences) - same
}

// merge makes a new base in the background, unless that is happening already. The next Compile uses it.
func (c *Compiler) merge(sorted []evaluator.Audience, schema *evaluator.Schema, o options) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy {
		return
	}
	c.busy = true
	c.merging.Go(func() {
		b := newBase(sorted, schema, o)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.merged, c.busy = b, false
	})
}

// Close waits for a merge that is under way.
func (c *Compiler) Close() { c.merging.Wait() }
