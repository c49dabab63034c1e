// Package postgres is the source: one replication slot of one database, what belongs to it, and the control schema.
//
//	Prepare     control schema, publication
//	Snapshot    slot --exported snapshot--> definitions, static members, users by key      --emit-->  receiver
//	Stream      slot --pgoutput--> frames --> pgoutput.Decoder --> []event.Transaction     --out-->   receiver
//	Acknowledge receiver --End, once durable--> status updates --> slot
//	Tick        an empty transaction once the server's clock has passed an instant
//	Control     definitions and static members, written as rows that come back through the log
//	Check       what is missing for all this, and the command that mends it
//
// What it guarantees:
//
//   - Every transaction with a commit after the given position comes once and in commit order while Stream lasts, across
//     cut connections, restarts and crashes of the server. What cannot be made good is a *Refusal that names the repair;
//     the slot keeps its place then.
//   - The server is never told of a position that was not acknowledged by the receiver. Where only the position moves,
//     beside a busy database or when the server shuts down, it travels to the receiver as an empty transaction first.
//   - A snapshot and the stream after it meet without a gap and without overlap, and print every value alike.
//   - Memory is bounded by a few batches, however large a transaction is; the connection is kept while the receiver blocks.
//
// Stream runs one session at a time, in its caller's goroutine: read, decode, deliver, tell the server. Beside it, for as
// long as Stream lasts, goes watch: heartbeats, and a look at the slot and the tables.
//
//	           +--- backoff <--- cut, restart, slot in use ---+
//	           v                                              |
//	connect -> same database? -> slot and tables? -> START_REPLICATION -> session.run ---> ctx ends: parked until Close,
//	                   |                |                                     |             for the last status update
//	                   +----------------+-------------- Refusal <-------------+
//
// It is for the pipeline and for what constructs it; the API and the command line use Control alone.
package postgres
