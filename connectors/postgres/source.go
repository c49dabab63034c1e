package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"muster/connectors/postgres/pgoutput"
	"muster/evaluator"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Source is one replication slot of one database and what belongs to it. Its methods may be called from several
// goroutines; Stream and Snapshot exclude each other and themselves.
type Source struct {
	options Options
	log     *slog.Logger
	pool    *pgxpool.Pool

	streaming sync.Mutex // held by Stream, Snapshot and Close: guards the next three
	decoder   *pgoutput.Decoder
	parked    *session // the connection of a Stream that has ended, kept for the last status update
	system    *System  // of the first connection

	acknowledged atomic.Uint64
	floor        atomic.Uint64 // where the slot stood when Identity was asked, for the caller to compare with its state
	gauges       gauges
	hold         *hold
}

// New returns a source. It connects to nothing yet.
func New(options Options) (*Source, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	config, err := poolConfig(options.DSN)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("postgres.dsn: %w", hidePassword(err))
	}
	s := &Source{options: options, log: options.Logger.With("slot", options.Slot), pool: pool, hold: newHold()}
	s.decoder = s.newDecoder()
	return s, nil
}

func (s *Source) newDecoder() *pgoutput.Decoder {
	table, users := s.options.Users.table(), s.options.Users
	return pgoutput.NewDecoder(pgoutput.Config{
		UsersSchema: table.schema, UsersTable: table.name, ID: users.ID, Properties: users.Properties, Columns: users.Columns,
		ControlSchema: s.options.Schema, Environment: s.options.Environment,
	}, catalog{s})
}

// Follow says in which schema the receiver has the users' rows, and as of which commit they are the table's. Streams that
// begin after it judge by that whether rows have changed without a word in the log (evaluator.Schema.Rewrites).
func (s *Source) Follow(schema *evaluator.Schema, asOf event.LSN) {
	s.streaming.Lock()
	defer s.streaming.Unlock()
	s.decoder.Follow(schema, asOf)
}

// Acknowledge says that everything up to end, the End of a transaction, is durable. The server learns of it within a
// second, and may then discard that part of its log. It never moves back.
func (s *Source) Acknowledge(end event.LSN) {
	for {
		was := s.acknowledged.Load()
		if uint64(end) <= was || s.acknowledged.CompareAndSwap(was, uint64(end)) {
			return
		}
	}
}

// Close tells the server what was acknowledged last, waits for it to have taken that in as long as ctx allows, and ends
// all connections. It is called after Stream has returned.
func (s *Source) Close(ctx context.Context) error {
	s.streaming.Lock()
	defer s.streaming.Unlock()
	var err error
	if s.parked != nil {
		err = s.parked.finish(ctx)
		s.parked = nil
	}
	s.pool.Close()
	return err
}
