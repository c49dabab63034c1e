// Package state is the worker's memory: one Pebble directory that holds, as of one position in Postgres's log, every user
// row with its memberships, the timers, the definitions in force, the outbox of events and the cursors of the sinks.
//
// It guarantees that a Batch is atomic: either all of the records, timers, events and the position in it are there after a
// crash, or none. Apply makes a batch visible at once and returns before it is on disk; Batch.Wait returns when it
// is. What leaves the process (an acknowledgement to Postgres, an event to a sink) must wait for that.
//
// The state is a derived materialisation: all of it can be made again from Postgres. It belongs to one process; opening
// a directory that another one has open fails with ErrLocked.
//
//	'm' name                        -> identity, head (position, clock, sequence, generation, backfill)
//	'u' user                        -> Record: row, memberships, recorded static members, next flip
//	't' due user                    -> nothing: the timer
//	'i' audience user 0 tenant      -> nothing: who is in an audience, for listing
//	'r' audience user 0 tenant      -> nothing: who is recorded for a static audience, missing users included
//	'n' audience                    -> how many members it has
//	'a' audience                    -> Audience: key and the versions in force
//	'g' generation                  -> Epoch: when a set of definitions came into force
//	's' schema                      -> Schema
//	'o' sequence                    -> Event
//	'c' sink                        -> Cursor
//	'l' user ordinal                -> a change of a large transaction that is being staged
package state
