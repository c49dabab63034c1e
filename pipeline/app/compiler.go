package app

import (
	"muster/evaluator"
	"muster/evaluator/compiled"
	"muster/pipeline"
)

// compiler adapts the compiled evaluator to what the pipeline asks of one.
type compiler struct{ *compiled.Compiler }

func newCompiler() compiler { return compiler{compiled.NewCompiler()} }

// Compile implements pipeline.Compiler.
func (c compiler) Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (func() pipeline.Judge, error) {
	set, err := c.Compiler.Compile(audiences, schema)
	if err != nil {
		return nil, err
	}
	return func() pipeline.Judge { return &sampling{Judge: set.NewJudge(), set: set, known: c.Statistics()} }, nil
}

// sampleEvery is of how many changes the row of one is looked at, to learn which values are rare.
const sampleEvery = 128

// sampling is a judge that shows a sample of the rows it judges to the compiler's statistics.
type sampling struct {
	*compiled.Judge
	set    *compiled.Set
	known  *compiled.Statistics
	judged uint
}

// Diff implements pipeline.Judge.
func (s *sampling) Diff(before, after *evaluator.Input, out *evaluator.Diff) {
	s.Judge.Diff(before, after, out)
	if s.judged++; s.judged%sampleEvery == 0 && after.Row != nil {
		s.known.Observe(s.set, after.Row)
	}
}
