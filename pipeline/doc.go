// Package pipeline is the worker's heart: it turns Postgres's log into exact audience memberships and the events of their
// beginnings and ends.
//
//	Source ──[]Transaction──▶ queue ──▶ batch ──▶ judge (pool of workers) ──▶ write ──▶ sync ──▶ Acknowledge
//	                            ▲          ▲          one subject a user        │ one atomic    │
//	       tick ── "is it T yet?"     timers due,       step by step            │ batch of      ├─▶ delivery ▶ Sink
//	                                  backfill walk                             ▼ state         └─▶ delivery ▶ Sink
//	                                                                          readers
//
// What it guarantees:
//
//   - A transaction is judged as a whole, at its commit time, by the rows as committed; each user once.
//   - Time is part of the log. A timer set for T fires when a commit at or after T passes, dated T, before what that commit
//     itself changed. When nothing commits, tick makes the source commit something.
//   - State, timers, position and outbox change in one atomic batch. The position is acknowledged, and events are
//     handed to sinks, only when the batch is on disk. The next batch is judged meanwhile.
//   - The order and content of events follow the log alone, not how it was cut into batches or which worker was faster.
//   - A sink that is down delays neither the other sinks nor reading, until the outbox is full.
//
// Where to find what: run.go the run loop, queue.go how transactions become batches, timers.go timers due, large.go
// transactions that do not fit into memory, backfill.go and catalogue.go definitions that change, snapshot.go the first
// filling, reread.go the users table read again, sweep.go a walk over every record; worker.go one user through a batch, converge.go and settle.go what its memberships become, moment.go events;
// commit.go the atomic write; delivery.go the sinks; reading.go and wait.go the readers.
package pipeline
