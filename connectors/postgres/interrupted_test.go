package postgres_test

import (
	"context"
	"errors"
	"testing"

	"muster/pipeline/event"
)

// TestSnapshotTellsWhatPasses ends the snapshot's connection in the middle of it: that passes, and what the receiver says
// does not, whatever it is.
func TestSnapshotTellsWhatPasses(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (id bigint PRIMARY KEY, n text)`)
		db.run(`INSERT INTO users SELECT g, repeat('much', 100) FROM generate_series(1, 50000) AS g`)
		source := db.source(withoutProperties)
		var last event.SnapshotChunk
		read := func(resume event.SnapshotResume, after func() error) error {
			return source.Snapshot(context.Background(), resume, func(_ context.Context, chunk event.SnapshotChunk) error {
				last = chunk
				return after()
			})
		}
		err := read(event.SnapshotResume{}, func() error {
			if len(last.Users) > 0 {
				db.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			}
			return nil
		})
		if !errors.Is(err, event.ErrUnreachable) || last.Last {
			t.Fatalf("the connection was ended after user %s: %v", last.Through, err)
		}
		cut := last.Through
		goOn := event.SnapshotResume{Started: true, Members: true, AfterKey: cut}
		for err = event.ErrUnreachable; errors.Is(err, event.ErrUnreachable); { // connections that were idle have ended as well
			err = read(goOn, func() error { return context.DeadlineExceeded })
		}
		if errors.Is(err, event.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the receiver refused: %v", err)
		}
		if err = read(goOn, func() error { return nil }); err != nil || !last.Last || last.Through != "50000" {
			t.Errorf("going on behind %s: up to %s, %v", cut, last.Through, err)
		}
	})
}

// TestSnapshotThatHasNotReadItsMembers goes on with them.
func TestSnapshotThatHasNotReadItsMembers(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source := db.source()
		snapshot(t, source, event.SnapshotResume{})
		db.run(`INSERT INTO muster.members (environment, audience, user_id, tenant) VALUES ('test', 'vip', 'a', '')`)
		for _, members := range []bool{false, true} {
			n := 0
			for _, chunk := range snapshot(t, source, event.SnapshotResume{Started: true, Members: members}) {
				n += len(chunk.Members)
			}
			if (n == 1) == members {
				t.Errorf("members known: %t, and %d came", members, n)
			}
		}
	})
}
