package sample

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed users.sql
var createTable string

var columns = []string{
	"id", "email", "name", "plan", "country", "signed_up_at", "trial_ends_at", "last_seen_at", "card_on_file", "mrr", "seats",
	"tags", "properties", "created_at", "updated_at",
}

// Seed makes the users table with that many users, numbered from 1, in one transaction, unless there is such a table
// already. It writes tens of thousands of users a second.
func Seed(ctx context.Context, dsn string, users int, seed uint64) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("seed the sample users: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return seedIn(ctx, tx, users, seed) })
	if err != nil {
		return fmt.Errorf("seed %d sample users: %w", users, err)
	}
	return nil
}

func seedIn(ctx context.Context, tx pgx.Tx, users int, seed uint64) error {
	var exists bool
	var now time.Time
	if err := tx.QueryRow(ctx, "SELECT to_regclass('public.users') IS NOT NULL, now()").Scan(&exists, &now); err != nil || exists {
		return err
	}
	if _, err := tx.Exec(ctx, createTable); err != nil {
		return err
	}
	rows := pgx.CopyFromSlice(users, func(i int) ([]any, error) { return row(NewUser(seed, int64(i)+1, now)), nil })
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"public", "users"}, columns, rows)
	return err
}

// row is the user in the order of columns.
func row(u User) []any {
	return []any{
		u.ID, u.Email, u.Name, u.Plan, u.Country, u.SignedUpAt, u.TrialEndsAt, u.LastSeenAt, u.CardOnFile, strconv.Itoa(u.MRR),
		u.Seats, u.Tags, u.Properties.JSON(), u.SignedUpAt, u.LastSeenAt,
	}
}
