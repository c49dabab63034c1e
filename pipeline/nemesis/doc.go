// Package nemesis breaks everything around a running worker, and the worker itself, and then holds what readers see
// against what the database says should be seen. It holds tests only.
//
//	writers ──▶ Postgres ──proxy──▶ worker (child process) ──proxy──▶ Kafka (kfake, over the wire)
//	   │           │                    ▲      └──────────────proxy──▶ ClickHouse (the real engine)
//	   │ triggers  │ second slot        │ SIGKILL, SIGTERM, a second worker
//	   ▼           ▼                    │
//	history.* ─▶ oracle.sql          nemesis: cuts and stalls connections, kills and restarts servers
//	                 │
//	                 ▼
//	       the events that must be there ──compare──▶ those in Kafka, read uncommitted, and those in ClickHouse
//
// Beside the writers, definitions change (definitions_test.go) and so does the shape of the users table (meddler_test.go).
// The worker's disk refuses to write at times (disk_test.go). What was done, and how often, is told at the end of the long
// form (tally_test.go).
//
// The oracle knows nothing of the worker. Triggers keep every version of every row with the transaction that made it; a
// replication slot of its own, read by SQL, says in which order and when those transactions were committed; audiences are
// WHERE clauses. From these a query derives each entry and exit with its instant, cause, trigger, count and position.
//
// What comes in through the API has a second judge, which knows no row and no SQL: clients keep a ledger of what they asked for
// (model_test.go), and events and members must be as the ledgers say, although the worker is killed all the while.
//
// The validators, and the bugs planted to show that each of them bites, are listed in validate_test.go and planted_test.go.
package nemesis
