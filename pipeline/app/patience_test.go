package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"muster/pipeline/state"
)

func TestAWorkerWaitsForPostgresAndForNothingElse(t *testing.T) {
	t.Parallel()
	w := &Worker{log: slog.New(slog.DiscardHandler)}
	tries := 0
	err := w.patiently(t.Context(), func(context.Context) error {
		if tries++; tries < 2 {
			return fmt.Errorf("read: %w", io.ErrUnexpectedEOF)
		}
		return nil
	})
	if err != nil || tries != 2 {
		t.Errorf("a connection that broke: %v after %d tries", err, tries)
	}
	for _, lasting := range []error{state.ErrForeign, &pgconn.PgError{Code: "42501", Message: "permission denied"}} {
		tries = 0
		err := w.patiently(t.Context(), func(context.Context) error { tries++; return lasting })
		if !errors.Is(err, lasting) || tries != 1 {
			t.Errorf("%v: %v after %d tries", lasting, err, tries)
		}
	}
	starting := &pgconn.PgError{Code: "57P03", Message: "the database system is starting up"}
	if !passes(starting) {
		t.Errorf("%v does not pass", starting)
	}
}
