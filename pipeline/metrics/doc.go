// Package metrics shows a running pipeline to operators: as Prometheus metrics, in base units and with help texts, and
// as the answers to "is it alive" and "is it ready".
//
// Counters and histograms are fed by the pipeline's Observer calls; gauges are read from the pipeline and the source when
// Prometheus asks, so they are never stale and cost nothing in between.
package metrics
