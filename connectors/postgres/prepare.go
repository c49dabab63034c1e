package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Prepare makes sure that control schema and publication are there, and makes or completes them if Options.Create says
// so. It comes before Snapshot and Stream, and before anything is written through Control. It may be called at any time.
func (s *Source) Prepare(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := s.prepareSchema(ctx, tx); err != nil {
			return err
		}
		return s.preparePublication(ctx, tx)
	})
	return s.explain(err)
}

func (s *Source) prepareSchema(ctx context.Context, tx pgx.Tx) error {
	if s.options.Create {
		taken, err := migrate(ctx, tx, s.options.Schema)
		for _, name := range taken {
			s.log.Info("control schema migrated", "schema", s.options.Schema, "step", name)
		}
		return err
	}
	steps, err := migrations()
	if err != nil {
		return err
	}
	at, err := schemaVersion(ctx, tx, s.options.Schema)
	if err != nil {
		return err
	}
	if at < len(steps) {
		return &Refusal{ErrControlSchema, fmt.Sprintf("schema %q is at version %d, this worker needs %d", s.options.Schema, max(at, 0), len(steps)),
			"set postgres.create to true, or run muster run once with a role that may create it", nil}
	}
	return nil
}

// preparePublication runs before the slot is made: a slot reads the catalog as it was at each change, and a publication
// that came later does not exist for it.
func (s *Source) preparePublication(ctx context.Context, tx pgx.Tx) error {
	found, err := s.inspect(ctx, connQuerier{tx.Conn()})
	if err != nil {
		return err
	}
	if found.usersOID == 0 {
		users := s.options.Users.table()
		return &Refusal{ErrUsersMissing, users.String(), "create it, or correct postgres.users.table", nil}
	}
	if found.lacks(s.options.Publication) == "" {
		return nil
	}
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1)`, s.options.Publication).Scan(&exists); err != nil {
		return err
	}
	statement := fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s WITH (publish_via_partition_root = true)",
		quote(s.options.Publication), strings.Join(found.unpublished, ", "))
	if exists {
		statement = found.publish(s.options.Publication)
	}
	if !s.options.Create {
		return &Refusal{ErrNotPublished, found.lacks(s.options.Publication), statement, nil}
	}
	if _, err := tx.Exec(ctx, statement); err != nil {
		return fmt.Errorf("make publication %q (%s): %w", s.options.Publication, statement, err)
	}
	s.log.Info("publication made", "statement", statement)
	return nil
}
