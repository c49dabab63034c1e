// Package session runs statements on the embedded engine for its fronts: it opens the data directory, hands out a
// bounded number of sessions, gives each statement the settings its client sent with it, and cancels statements.
//
// It guarantees that a session's state (current database, settings, temporary tables) is seen by no other session, and
// that settings sent with one statement do not last longer than it.
//
//	Open -> Engine -> Session -> Use, Apply -> chdb.Conn (Query, Stream, Insert)
//	          |                     Cancel <- anybody
//	          +-- control session: KILL QUERY
package session
