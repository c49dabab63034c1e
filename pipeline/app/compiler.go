package app

import (
	"muster/evaluator"
	"muster/evaluator/plain"
	"muster/pipeline"
)

// compiler adapts the evaluator to what the pipeline asks of one.
type compiler struct{}

func newCompiler() compiler { return compiler{} }

// Compile implements pipeline.Compiler.
func (compiler) Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (func() pipeline.Judge, error) {
	set, err := plain.Compile(audiences, schema)
	if err != nil {
		return nil, err
	}
	return func() pipeline.Judge { return set.NewJudge() }, nil
}
