package compiled

// Replan returns a set of the same audiences by the newest plan: s itself while there is none other than its own. When
// frequencies have moved since this was asked last, it has a plan made in the background, for one of the next times. It says
// the same as s, and like Compile it is for one goroutine at a time.
func (c *Compiler) Replan(s *Set) *Set {
	drifted := !c.merges() && c.known.drifted()
	b := c.best(s.schema)
	newer := b != nil && b != s.base
	if !drifted && !newer {
		return s
	}
	sorted, err := topological(s.audiences)
	if err != nil { // s is made of them
		return s
	}
	o := options{known: c.known}
	if drifted {
		c.merge(sorted, s.schema, o)
	}
	if !newer {
		return s
	}
	return compose(s.audiences, sorted, b, o)
}

// merges reports whether a merge is under way.
func (c *Compiler) merges() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy
}

// Routes counts the clauses that are found by hash and those in the lanes.
func (s *Set) Routes() (hashed, lanes int) {
	for _, p := range s.parts {
		in := 0
		for _, c := range p.segment.clauseAt {
			if c != none {
				in++
			}
		}
		lanes += in
		hashed += len(p.segment.clauses) - in
	}
	return hashed, lanes
}
