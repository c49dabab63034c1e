// Package app builds a worker from its configuration and does nothing else: the source, the state, the pipeline, the
// sinks, the metrics and the HTTP listener, wired together in one place. Everything it wires is tested where it lives.
package app
