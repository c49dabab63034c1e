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
	return func() pipeline.Judge { return set.NewJudge() }, nil
}
