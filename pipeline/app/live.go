package app

import "muster/connectors/api"

// live are the endpoints that ask the running pipeline.
func (w *Worker) live() []api.Part {
	environment, mask := w.config.Environment, maskOf(w.config)
	return []api.Part{
		api.Events{
			Environment: environment, Last: w.pipeline.LastSequence, Ending: w.ending,
			Listen: func(after uint64) api.EventListener { return w.pipeline.Listen(after) },
		},
		api.Explanations{Environment: environment, Explainer: explainer{w.pipeline, mask}},
		api.Previews{Environment: environment, Previewer: newPreviewer(w.pipeline, w.config.Evaluator.Workers, mask)},
		api.Verification{Verifier: verifier{w.config, w.log, w.source, w.pipeline, w.ending}},
	}
}
