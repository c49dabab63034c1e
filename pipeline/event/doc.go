// Package event holds the data types that the connectors, the pipeline and the sinks share: what comes in (Transaction
// and its Changes) and what goes out (Event). It holds no behaviour beyond naming and ordering and imports nothing of the
// project but the evaluator's values.
package event
