package app

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"muster/evaluator"
	"muster/evaluator/compiled"
	"muster/pipeline"
)

// compiler adapts the compiled evaluator to what the pipeline asks of one, and lets it plan anew by the values that pass:
//
//	Diff -> every 128th row -> Statistics -> every 1024th of those: Replan -> another set -> at the next Diff of each judge
//
// Definitions may stay as they are for months, and what a set was compiled by is a guess after every start.
type compiler struct {
	*compiled.Compiler
	log   *slog.Logger
	every uint // of how many changes the row of one is looked at

	mu     sync.Mutex // of the Compiler, and of latest
	latest *planned
}

const (
	// sampleEvery is of how many changes the row of one is looked at, to learn which values are rare.
	sampleEvery = 128
	// replanEvery is of how many such rows, of one judge, the plan is looked at.
	replanEvery = 1024
)

func newCompiler(log *slog.Logger) *compiler {
	return &compiler{Compiler: compiled.NewCompiler(), log: log, every: sampleEvery}
}

// planned is how the audiences of one generation are judged at the moment. All its sets say the same.
type planned struct{ set atomic.Pointer[compiled.Set] }

// Compile implements pipeline.Compiler.
func (c *compiler) Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (func() pipeline.Judge, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set, err := c.Compiler.Compile(audiences, schema)
	if err != nil {
		return nil, err
	}
	p := new(planned)
	p.set.Store(set)
	c.latest = p
	return func() pipeline.Judge {
		set := p.set.Load()
		return &sampling{Judge: set.NewJudge(), compiler: c, plan: p, set: set}
	}, nil
}

// replan takes another plan for the audiences in force when there is one, and has one made when values are distributed
// otherwise than it thought.
func (c *compiler) replan(p *planned) {
	if !c.mu.TryLock() {
		return // somebody is at it
	}
	defer c.mu.Unlock()
	if c.latest != p {
		return // other definitions are in force since
	}
	was := p.set.Load()
	set := c.Compiler.Replan(was)
	if set == was {
		return
	}
	p.set.Store(set)
	hashed, lanes := set.Routes()
	c.log.Info("conditions are found another way, by how often values occur", "by_hash", hashed, "in_lanes", lanes)
}

// sampling is a judge that shows a sample of the rows it judges to the compiler's statistics, and follows its plan.
type sampling struct {
	*compiled.Judge
	compiler *compiler
	plan     *planned
	set      *compiled.Set // of the judge
	judged   uint
}

// Diff implements pipeline.Judge.
func (s *sampling) Diff(before, after *evaluator.Input, out *evaluator.Diff) {
	if set := s.plan.set.Load(); set != s.set {
		s.Judge, s.set = set.NewJudge(), set
	}
	s.Judge.Diff(before, after, out)
	if s.judged++; s.judged%s.compiler.every != 0 || after.Row == nil {
		return
	}
	s.compiler.Statistics().Observe(s.set, after.Row)
	if s.judged/s.compiler.every%replanEvery == 0 {
		s.compiler.replan(s.plan)
	}
}
