package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/connectors/postgres"
	local "muster/deploy/local/postgres"
	"muster/pipeline/event"
)

// folder is one that the server's unprivileged user may enter.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "muster-promotion-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func launch(t *testing.T, options local.Options) *local.Server {
	t.Helper()
	server, err := local.Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	return server
}

// recoverAsNew makes the server in dir end on a new timeline at its next start, as a standby does that is promoted.
func recoverAsNew(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "data", "recovery.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPromotionWithAllThatWasReadGoesOn(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"15", "17"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(folder(t), "server")
			server := launch(t, local.Options{Version: version, Dir: dir})
			db := newDatabase(t, version, server)
			db.run(usersTable)
			source, s := ready(db)
			db.run(`INSERT INTO users (id) VALUES ('a')`)
			s.changes(1)
			before, err := source.Identity(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			db.run(`ALTER SYSTEM SET restore_command = 'false'`)
			server.Kill()
			recoverAsNew(t, dir)
			if err := server.Restart(context.Background()); err != nil {
				t.Fatal(err)
			}
			db.conn = connect(t, db.dsn)
			eventually(t, "the end of recovery", func() bool { return !one[bool](db, `SELECT pg_is_in_recovery()`) })
			db.run(`INSERT INTO users (id) VALUES ('b')`)
			if got := s.changes(1)[0]; got.Op != event.Upsert || got.User != "b" {
				t.Errorf("got %s", describeOne(got))
			}
			after, err := source.Identity(context.Background())
			if err != nil || after.Timeline != before.Timeline+1 || after.Identifier != before.Identifier {
				t.Errorf("%+v, was %+v, %v", after.System, before.System, err)
			}
		})
	}
}

// An older copy of a server, once promoted from a standby and once simply started, lacks what was read already.
func TestOlderCopyOfTheServerIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version  string
		promoted bool
		want     error
	}{{"15", true, postgres.ErrTimeline}, {"17", true, postgres.ErrTimeline}, {"15", false, postgres.ErrBehind}, {"17", false, postgres.ErrBehind}} {
		t.Run(fmt.Sprintf("%s promoted %t", c.version, c.promoted), func(t *testing.T) {
			t.Parallel()
			version := c.version
			parent := folder(t)
			dir, standby := filepath.Join(parent, "server"), filepath.Join(parent, "standby")
			first := launch(t, local.Options{Version: version, Dir: dir})
			db := newDatabase(t, version, first)
			db.run(usersTable)
			db.run(`ALTER SYSTEM SET restore_command = 'false'`)
			chunks := snapshot(t, db.source(), event.SnapshotResume{})
			port := first.Port()
			if err := first.Stop(); err != nil {
				t.Fatal(err)
			}
			// The standby has what there is now, and nothing of what comes.
			if out, err := exec.Command("cp", "-a", dir, standby).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			primary := launch(t, local.Options{Version: version, Dir: dir, Port: port})
			db.conn = connect(t, db.dsn)
			way, dsn := newProxy(t, db.dsn, 0, nil)
			s := start(t, db.source(func(o *postgres.Options) { o.DSN = dsn }), chunks[0].Consistent)
			db.run(`INSERT INTO users (id) VALUES ('a')`)
			s.changes(1)
			primary.Kill()
			if c.promoted {
				recoverAsNew(t, standby)
			}
			copied := launch(t, local.Options{Version: version, Dir: standby})
			u, err := url.Parse(copied.DSN())
			if err != nil {
				t.Fatal(err)
			}
			way.lead(u.Host)
			err = s.failure()
			var refusal *postgres.Refusal
			if !errors.As(err, &refusal) || !errors.Is(err, c.want) || !strings.Contains(refusal.Repair, "muster rebuild") {
				t.Errorf("%v, want a refusal that names the repair", err)
			}
		})
	}
}

func TestAnotherServerIsRefused(t *testing.T) {
	t.Parallel()
	first, second := ownServer(t, "15", nil), ownServer(t, "15", nil)
	db := newDatabase(t, "15", first)
	db.run(usersTable)
	way, dsn := newProxy(t, db.dsn, 0, nil)
	source := db.source(func(o *postgres.Options) { o.DSN = dsn })
	chunks := snapshot(t, source, event.SnapshotResume{})
	s := start(t, source, chunks[0].Consistent)
	db.mark("first")
	s.until("first")

	other := connect(t, second.DSN())
	run(t, other, `CREATE DATABASE `+db.name)
	u, err := url.Parse(second.DSN())
	if err != nil {
		t.Fatal(err)
	}
	way.lead(u.Host)
	err = s.failure()
	var refusal *postgres.Refusal
	if !errors.As(err, &refusal) || !errors.Is(err, postgres.ErrOtherDatabase) || !strings.Contains(refusal.Repair, "postgres.dsn") {
		t.Errorf("%v", err)
	}
}
