// Package kafka runs a Kafka broker for the demo, `muster local up` and the tests: franz-go's kfake, in this process,
// speaking the wire protocol on a loopback port. Producers, consumer groups, transactions, kcat and the Java clients work
// against it as against any broker.
//
// What it guarantees:
//   - Topics come into being only when somebody creates them, as on a broker that is run with care.
//   - It can run for days: beyond Options.RetentionBytes a partition's oldest records go, as on a real broker.
//   - With Options.Dir everything is on disk and is there again at the next start; without, nothing outlives Stop.
//
// What kfake does not do: it never answers that a leader or coordinator is not available by itself, and it refuses an
// older producer epoch sooner than a real broker would. Tests reach it through Cluster for faults; tests of fencing
// belong on a real broker.
package kafka
