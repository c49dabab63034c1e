package app

import "muster/connectors/api"

// live are the endpoints that ask the running pipeline.
func (w *Worker) live() []api.Part {
	return []api.Part{
		api.Explanations{Environment: w.config.Environment, Explainer: explainer{w.pipeline, maskOf(w.config)}},
		api.Verification{Verifier: verifier{w.config, w.log, w.source, w.pipeline, w.ending}},
	}
}
