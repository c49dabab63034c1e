package sample

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sourcegraph/conc/pool"
)

// LoadOptions of a load. The zero value is as much as eight connections can do, a change a transaction.
type LoadOptions struct {
	// Rate is changes a second; 0 is as many as possible.
	Rate float64
	// Seed makes the same changes for the same seed; their order among connections is up to the server.
	Seed uint64
	// Connections is how many transactions are under way at the same time; 0 is 8.
	Connections int
	// PerTransaction is how many changes are committed together; 0 is 1.
	PerTransaction int
	// Changes is how many to commit before ending, give or take those under way; 0 is no end.
	Changes int64
}

// Load changes sample users. Make it with NewLoad, run it once, and ask for Stats at any time.
type Load struct {
	dsn     string
	options LoadOptions

	users   atomic.Int64 // numbers 1 to this one were given to somebody
	tickets atomic.Int64 // transactions begun

	mu    sync.Mutex
	stats Stats
	began time.Time
	ended time.Time // zero while it runs
}

const defaultConnections = 8

// NewLoad returns a load on the users table of the database.
func NewLoad(dsn string, options LoadOptions) *Load {
	if options.Connections == 0 {
		options.Connections = defaultConnections
	}
	if options.PerTransaction == 0 {
		options.PerTransaction = 1
	}
	return &Load{dsn: dsn, options: options, stats: Stats{Kinds: map[string]int64{}}}
}

// Run makes changes until ctx ends, which is no error, or Options.Changes are made. While the server cannot be reached it
// waits for it.
func Run(ctx context.Context, dsn string, options LoadOptions) (Stats, error) {
	l := NewLoad(dsn, options)
	err := l.Run(ctx)
	return l.Stats(), err
}

// Run is the package's Run.
func (l *Load) Run(ctx context.Context) error {
	config, err := pgxpool.ParseConfig(l.dsn)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	config.MaxConns = int32(l.options.Connections)
	connections, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	defer connections.Close()
	if err := l.begin(ctx, connections); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("load: %w", err)
	}
	workers := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	pace := &pace{perSecond: l.options.Rate / float64(l.options.PerTransaction), began: l.began}
	for range l.options.Connections {
		workers.Go(func(ctx context.Context) error { return l.work(ctx, connections, pace) })
	}
	err = workers.Wait()
	l.end()
	if ctx.Err() != nil { // told to end, which is how most loads end
		return nil
	}
	return err
}

// begin finds the highest number in use, so that a load can be run again on the same users.
func (l *Load) begin(ctx context.Context, connections *pgxpool.Pool) error {
	var last int64
	err := connections.QueryRow(ctx, `SELECT coalesce(max(substr(id, 3)::bigint), 0) FROM users WHERE id ~ '^u_[0-9]{6,}$'`).Scan(&last)
	if err != nil {
		return fmt.Errorf("count the users: %w", err)
	}
	l.users.Store(last)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began = time.Now()
	return nil
}

// work makes one transaction after another until there is no more to do.
func (l *Load) work(ctx context.Context, connections *pgxpool.Pool, pace *pace) error {
	for {
		if l.options.Changes > 0 && l.changes() >= l.options.Changes {
			return nil
		}
		ticket := l.tickets.Add(1)
		if err := pace.wait(ctx, ticket-1); err != nil {
			return err
		}
		if err := l.transact(ctx, connections, ticket); err != nil {
			return err
		}
	}
}

const reconnectPause = 200 * time.Millisecond

// transact commits the changes of a ticket. One that was cut off is not tried again, as it may have been committed.
func (l *Load) transact(ctx context.Context, connections *pgxpool.Pool, ticket int64) error {
	changes := l.compose(ticket)
	batch := &pgx.Batch{}
	counts := make(map[string]int64, len(changes))
	for _, c := range changes {
		batch.Queue(c.statement.sql, c.statement.args...).Exec(func(tag pgconn.CommandTag) error {
			counts[c.kind] += tag.RowsAffected()
			return nil
		})
	}
	// A batch is one implicit transaction: when Close reports no error, all of it is committed.
	err := connections.SendBatch(ctx, batch).Close()
	switch {
	case err == nil:
		l.count(counts)
		return nil
	case ctx.Err() != nil:
		l.interrupted()
		return ctx.Err()
	case !passing(err):
		return fmt.Errorf("load: %w", err)
	}
	l.interrupted()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(reconnectPause):
		return nil
	}
}

// passing reports whether an error comes from the server being away or busy and not from what was asked of it.
func passing(err error) bool {
	var fault *pgconn.PgError
	if !errors.As(err, &fault) {
		return true // of the connection
	}
	switch fault.Code[:2] {
	case "57", "53", "40", "08": // operator intervention, insufficient resources, rollback, connection exception
		return true
	}
	return false
}
