package session

import (
	"context"
	"sync"

	"muster/deploy/local/engine/chdb"
)

// Session is a client's state in the engine. It runs one statement at a time; only Cancel may be called meanwhile.
type Session struct {
	*chdb.Conn
	engine  *Engine
	mark    string            // found in system.processes as the setting log_comment
	applied map[string]string // settings that came with the last statement
	stale   bool              // a SET has run since, so applied may not be so any more
	closed  sync.Once
}

// Close ends the session.
func (s *Session) Close() {
	s.closed.Do(func() {
		s.Conn.Close()
		<-s.engine.slots
	})
}

// Use makes a database current.
func (s *Session) Use(database string) error {
	_, err := s.Query("USE "+Identifier(database), "Null")
	return err
}

// Cancel stops the running statement, and returns when ctx ends, which should be when the statement has.
func (s *Session) Cancel(ctx context.Context) {
	s.engine.kill(ctx, "Settings['log_comment'] = '"+s.mark+"'")
}

// Ran tells the session which statement has run, by its first keyword.
func (s *Session) Ran(verb string) {
	if verb == "SET" {
		s.stale = true
	}
}
