package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnknownBulk is returned for a bulk operation that does not exist.
var ErrUnknownBulk = errors.New("no such bulk operation")

const (
	bulkIdentify = "users.identify"
	bulkDelete   = "users.delete"

	// bulkChunk is how many records one transaction of a bulk operation works.
	bulkChunk = 100
	// bulkPoll is how often operations that other processes left behind are looked for.
	bulkPoll = 5 * time.Second
)

// bulkRecord is one record of a bulk operation as stored.
type bulkRecord struct {
	ID         string                     `json:"id"`
	Properties map[string]json.RawMessage `json:"properties,omitempty"`
}

// StartBulk queues a bulk operation; RunBulks works it. With remove set the users are deleted, else identified.
func (d *Directory) StartBulk(ctx context.Context, users []event.Identify, remove bool) (event.Bulk, error) {
	if !d.identify {
		return event.Bulk{}, ErrIdentifyOff
	}
	name := bulkIdentify
	if remove {
		name = bulkDelete
	}
	records := make([]bulkRecord, len(users))
	for i, u := range users {
		records[i] = bulkRecord(u)
	}
	data, err := json.Marshal(records)
	if err != nil {
		return event.Bulk{}, fmt.Errorf("encode a bulk operation: %w", err)
	}
	id := rand.Text()
	_, err = d.pool.Exec(ctx, `INSERT INTO `+d.Control.table("bulk_operations")+` (id, environment, name, records, total) VALUES ($1, $2, $3, $4, $5)`,
		id, d.environment, name, string(data), len(users))
	if err != nil {
		return event.Bulk{}, fmt.Errorf("queue a bulk operation: %w", err)
	}
	select {
	case d.queued <- struct{}{}:
	default: // somebody is told already
	}
	return d.Bulk(ctx, id)
}

// Bulk returns a bulk operation.
func (d *Directory) Bulk(ctx context.Context, id string) (event.Bulk, error) {
	b := event.Bulk{ID: id}
	var failures string
	err := d.pool.QueryRow(ctx, `SELECT name, status, total, processed, succeeded, failures, inserted_at, updated_at, started_at, completed_at, failed_at
  FROM `+d.Control.table("bulk_operations")+` WHERE id = $1 AND environment = $2`, id, d.environment).
		Scan(&b.Name, &b.Status, &b.Total, &b.Processed, &b.Succeeded, &failures, &b.InsertedAt, &b.UpdatedAt, &b.StartedAt, &b.CompletedAt, &b.FailedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return event.Bulk{}, fmt.Errorf("%w: %q", ErrUnknownBulk, id)
	}
	if err == nil {
		err = json.Unmarshal([]byte(failures), &b.Failed)
	}
	if err != nil {
		return event.Bulk{}, fmt.Errorf("read bulk operation %q: %w", id, err)
	}
	return b, nil
}

// RunBulks works bulk operations, one after the other, until ctx ends. Each transaction works some records and notes how
// far it came, so an operation that was interrupted goes on where it was and does nothing twice.
func (d *Directory) RunBulks(ctx context.Context, log *slog.Logger) {
	timer := time.NewTicker(bulkPoll)
	defer timer.Stop()
	for {
		more, err := d.workBulk(ctx)
		if err == nil && more {
			continue
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("a bulk operation stands still; it is tried again", "error", err)
		}
		select {
		case <-d.queued:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// workBulk works the next records of the oldest open operation; it reports whether there was one.
func (d *Directory) workBulk(ctx context.Context) (worked bool, err error) {
	var id string
	_, err = d.write(ctx, func(tx pgx.Tx) (bool, error) {
		var name, stored, failed string
		var processed int
		err := tx.QueryRow(ctx, `SELECT id, name, records, processed, failures FROM `+d.Control.table("bulk_operations")+`
 WHERE environment = $1 AND status IN ('queued', 'processing') ORDER BY inserted_at LIMIT 1 FOR UPDATE SKIP LOCKED`, d.environment).
			Scan(&id, &name, &stored, &processed, &failed)
		if errors.Is(err, pgx.ErrNoRows) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		worked = true
		var records []bulkRecord
		var failures []event.BulkFailure
		if err := errors.Join(json.Unmarshal([]byte(stored), &records), json.Unmarshal([]byte(failed), &failures)); err != nil {
			return false, err
		}
		chunk := records[processed:min(processed+bulkChunk, len(records))]
		wrong, err := d.workChunk(ctx, tx, name, chunk)
		if err != nil {
			return true, d.giveUp(ctx, tx, id, err)
		}
		return true, d.progress(ctx, tx, id, processed+len(chunk), len(records), append(failures, wrong...))
	})
	if id != "" && lasts(err) { // also what only the commit refuses, such as a deferred constraint
		return worked, errors.Join(err, d.fail(ctx, d.pool, id))
	}
	return worked, err
}

// lasts reports whether an error of the database will be the same tomorrow. An operation that cannot be done must not
// hold up those behind it.
func lasts(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code[:2] {
	case "08", "40", "53", "55", "57", "58": // connection, conflict, resources, not now, intervention, the system
		return false
	}
	return true
}

// workChunk does what the operation is to do with some of its records and returns those that could not be done.
func (d *Directory) workChunk(ctx context.Context, tx pgx.Tx, name string, chunk []bulkRecord) (wrong []event.BulkFailure, err error) {
	if !d.identify {
		return nil, ErrIdentifyOff
	}
	if name == bulkDelete {
		return d.removeChunk(ctx, tx, chunk)
	}
	users := make([]event.Identify, len(chunk))
	for i, r := range chunk {
		users[i] = event.Identify(r)
	}
	for len(users) > 0 {
		err := savepoint(ctx, tx, func(tx pgx.Tx) error { return d.upsert(ctx, tx, users) })
		var faults event.DataFaults
		if !errors.As(err, &faults) {
			return wrong, err
		}
		bad := make(map[int]string, len(faults))
		for _, f := range faults {
			bad[f.Index] = f.Field + ": " + f.Message
		}
		var rest []event.Identify
		for i, u := range users {
			if message, isBad := bad[i]; isBad {
				wrong = append(wrong, event.BulkFailure{ID: u.ID, Message: message})
			} else {
				rest = append(rest, u)
			}
		}
		users = rest
	}
	return wrong, nil
}

// removeChunk deletes users, and when that is refused, such as by rows that refer to one, each by itself.
func (d *Directory) removeChunk(ctx context.Context, tx pgx.Tx, chunk []bulkRecord) (wrong []event.BulkFailure, err error) {
	ids := make([]string, len(chunk))
	for i, r := range chunk {
		ids[i] = r.ID
	}
	if _, err = d.remove(ctx, tx, ids); !isContent(err) {
		return nil, err
	}
	for _, id := range ids {
		if _, err := d.remove(ctx, tx, []string{id}); isContent(err) {
			wrong = append(wrong, event.BulkFailure{ID: id, Message: reason(err)})
		} else if err != nil {
			return nil, err
		}
	}
	return wrong, nil
}

func (d *Directory) progress(ctx context.Context, tx pgx.Tx, id string, processed, total int, failures []event.BulkFailure) error {
	if failures == nil {
		failures = []event.BulkFailure{}
	}
	data, err := json.Marshal(failures)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE `+d.Control.table("bulk_operations")+` SET processed = $2::int, succeeded = $2::int - $3::int, failures = $4, updated_at = clock_timestamp(),
       started_at = coalesce(started_at, clock_timestamp()), status = CASE WHEN $2::int < $5::int THEN 'processing' ELSE 'completed' END,
       completed_at = CASE WHEN $2::int < $5::int THEN NULL ELSE clock_timestamp() END, records = CASE WHEN $2::int < $5::int THEN records ELSE '[]' END
 WHERE id = $1`, id, processed, len(failures), string(data), total)
	return err
}

// giveUp ends an operation that cannot go on, such as one that the configuration no longer allows. Faults that pass are
// returned, and it is tried again.
func (d *Directory) giveUp(ctx context.Context, tx pgx.Tx, id string, why error) error {
	if !errors.Is(why, ErrIdentifyOff) && !errors.Is(why, ErrUsersReadOnly) {
		return why
	}
	return d.fail(ctx, tx, id)
}

// executor is what pools and transactions have in common for writing.
type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

func (d *Directory) fail(ctx context.Context, e executor, id string) error {
	_, err := e.Exec(ctx, `UPDATE `+d.Control.table("bulk_operations")+` SET status = 'failed', failed_at = clock_timestamp(), updated_at = clock_timestamp() WHERE id = $1`, id)
	return err
}
