package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"muster/connectors/postgres"
	"muster/pipeline/event"
)

func version(audience, kind, sha string) postgres.Version {
	return postgres.Version{Audience: audience, Type: kind, SHA: sha, Document: []byte(`{"sha":"` + sha + `"}`)}
}

func TestWritesComeBackThroughTheLogWithTheirToken(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, s := ready(db)
		control, ctx := source.Control(), context.Background()

		committed, token, err := control.PushDefinitions(ctx, "test", []postgres.Version{version("vip", "static", "s1"), version("paid", "dynamic", "d1")},
			postgres.Author{Name: "Ada", Email: "ada@example.org", Message: "first"})
		if err != nil || fmt.Sprint(committed) != "[{vip 1} {paid 1}]" {
			t.Fatalf("PushDefinitions = %v, %v", committed, err)
		}
		got := describe(s.until(token)[0].Changes)
		if want := `define vip v1 {"sha":"s1"}; define paid v1 {"sha":"d1"}; token ` + token; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}

		added, token, err := control.AddMembers(ctx, "test", "vip", []postgres.MemberID{{User: "a"}, {User: "a", Tenant: "t"}, {User: "a"}})
		if err != nil || added != 2 {
			t.Fatalf("AddMembers = %d, %v", added, err)
		}
		if got, want := describe(s.until(token)[0].Changes), "add vip/a/; add vip/a/t; token "+token; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		removed, token, err := control.RemoveMembers(ctx, "test", "vip", []postgres.MemberID{{User: "a", Tenant: "t"}, {User: "nobody"}})
		if err != nil || removed != 1 {
			t.Fatalf("RemoveMembers = %d, %v", removed, err)
		}
		if got, want := describe(s.until(token)[0].Changes), "remove vip/a/t; token "+token; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestWritesThatChangeNothingCommitNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		source, ctx := db.prepared(), context.Background()
		control := source.Control()
		push := func(versions ...postgres.Version) string {
			t.Helper()
			committed, token, err := control.PushDefinitions(ctx, "test", versions, postgres.Author{})
			if err != nil {
				t.Fatal(err)
			}
			if (token == "") != (len(committed) == 0) {
				t.Errorf("committed %v with token %q", committed, token)
			}
			return fmt.Sprint(committed)
		}
		if got := push(version("vip", "static", "1")); got != "[{vip 1}]" {
			t.Errorf("first push: %s", got)
		}
		if got := push(version("vip", "static", "1")); got != "[]" {
			t.Errorf("the same again: %s", got)
		}
		if got := push(version("vip", "static", "2"), version("new", "dynamic", "1")); got != "[{vip 2} {new 1}]" {
			t.Errorf("changed: %s", got)
		}
		archive := version("vip", "static", "2")
		archive.Archived = true
		if got := push(archive); got != "[{vip 3}]" {
			t.Errorf("archive: %s", got)
		}
		if got := push(version("vip", "static", "2")); got != "[{vip 4}]" {
			t.Errorf("the same after an archive brings it back: %s", got)
		}
		added, token, err := control.AddMembers(ctx, "test", "vip", []postgres.MemberID{{User: "a"}})
		if err != nil || added != 1 || token == "" {
			t.Fatalf("AddMembers = %d, %q, %v", added, token, err)
		}
		added, token, err = control.AddMembers(ctx, "test", "vip", []postgres.MemberID{{User: "a"}})
		if err != nil || added != 0 || token != "" {
			t.Fatalf("AddMembers again = %d, %q, %v", added, token, err)
		}
	})
}

func TestControlRefusals(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		source, ctx := db.prepared(), context.Background()
		control := source.Control()
		for _, kind := range []string{"static", "dynamic"} {
			if _, _, err := control.CommitVersion(ctx, "test", version("a-"+kind, kind, "1"), postgres.Author{}); err != nil {
				t.Fatal(err)
			}
		}
		stale := version("a-dynamic", "dynamic", "2")
		stale.Base = 7
		cases := []struct {
			name string
			want error
			do   func() error
		}{
			{"another type", postgres.ErrAudienceType, func() error {
				_, _, err := control.CommitVersion(ctx, "test", version("a-static", "dynamic", "2"), postgres.Author{})
				return err
			}},
			{"from an older version", postgres.ErrConflict, func() error {
				_, _, err := control.CommitVersion(ctx, "test", stale, postgres.Author{})
				return err
			}},
			{"members of a dynamic audience", postgres.ErrNotStatic, func() error {
				_, _, err := control.AddMembers(ctx, "test", "a-dynamic", []postgres.MemberID{{User: "a"}})
				return err
			}},
			{"members of no audience", postgres.ErrUnknownAudience, func() error {
				_, _, err := control.RemoveMembers(ctx, "test", "nothing", []postgres.MemberID{{User: "a"}})
				return err
			}},
			{"another environment", postgres.ErrUnknownAudience, func() error {
				_, _, err := control.AddMembers(ctx, "production", "a-static", []postgres.MemberID{{User: "a"}})
				return err
			}},
		}
		for _, c := range cases {
			if err := c.do(); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
	})
}

func TestConcurrentCommitsNumberWithoutGaps(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		source, ctx := db.prepared(), context.Background()
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if _, _, err := source.Control().CommitVersion(ctx, "test", version("busy", "dynamic", "1"), postgres.Author{}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		latest, err := source.Control().Latest(ctx, "test")
		if err != nil || len(latest) != 1 || latest[0].Version != 8 {
			t.Errorf("Latest = %+v, %v; want version 8", latest, err)
		}
	})
}

func TestSnapshotHasLatestDefinitionsAndMembersOfItsEnvironment(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		source, ctx := db.prepared(), context.Background()
		control := source.Control()
		for _, environment := range []string{"test", "production"} {
			for _, sha := range []string{"1", "2"} {
				if _, _, err := control.CommitVersion(ctx, environment, version("vip-"+environment, "static", sha), postgres.Author{}); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := control.AddMembers(ctx, environment, "vip-"+environment, []postgres.MemberID{{User: "a", Tenant: "t"}, {User: "b"}}); err != nil {
				t.Fatal(err)
			}
		}
		var definitions, members []string
		chunks := snapshot(t, source, event.SnapshotResume{})
		for _, chunk := range chunks {
			if chunk.Schema == nil || chunk.Consistent != chunks[0].Consistent || chunk.Time != chunks[0].Time {
				t.Errorf("chunk %+v", chunk)
			}
			for _, d := range chunk.Definitions {
				definitions = append(definitions, fmt.Sprintf("%s v%d %s", d.Audience, d.Version, d.SHA))
			}
			for _, m := range chunk.Members {
				members = append(members, fmt.Sprintf("%s/%s/%s %t", m.Audience, m.User, m.Tenant, m.AddedAt > 0))
			}
		}
		if got, want := fmt.Sprint(definitions), "[vip-test v2 2]"; got != want {
			t.Errorf("definitions %s, want %s", got, want)
		}
		if got, want := fmt.Sprint(members), "[vip-test/a/t true vip-test/b/ true]"; got != want {
			t.Errorf("members %s, want %s", got, want)
		}
	})
}

func TestPrepareIsIdempotentAndWaitsForItsLike(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if err := db.source().Prepare(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := one[int](db, `SELECT count(*)::int FROM muster.schema_migrations`); n < 2 {
			t.Errorf("%d migrations recorded", n)
		}
		want := "muster.commits,muster.members,public.users"
		if got := one[string](db, `SELECT string_agg(schemaname || '.' || tablename, ',' ORDER BY schemaname, tablename) FROM pg_publication_tables`); got != want {
			t.Errorf("published %s, want %s", got, want)
		}
	})
}
