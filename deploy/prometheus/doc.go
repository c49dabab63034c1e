// Package prometheus holds the alert and recording rules. There is no code in it but the test that holds the rules, and
// the Grafana dashboard, to the metrics that the worker has.
package prometheus
