package nemesis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// meddler does something to the database now and then until it is stopped. What fails was not done, and is left at that.
type meddler struct {
	done    atomic.Int64
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// meddle starts one. Each time it has a connection of its own, which is not given up in the middle of a statement: that may
// be committed all the same, after what is meant to be the last.
func (w *world) meddle(every time.Duration, r *rand.Rand, do func(*pgx.Conn, *rand.Rand) error) *meddler {
	ctx, cancel := context.WithCancel(context.Background())
	m := &meddler{cancel: cancel}
	dsn := w.pg.DSN()
	m.running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			conn, err := pgx.Connect(ctx, dsn)
			if err != nil {
				continue
			}
			if do(conn, r) == nil {
				m.done.Add(1)
			}
			_ = conn.Close(context.Background())
		}
	})
	w.Cleanup(m.stop)
	return m
}

func (m *meddler) stop() {
	m.cancel()
	m.running.Wait()
}

// alterEvery is how often the shape of the users table changes.
const alterEvery = 700 * time.Millisecond

// alterations change the users table so that what happened can be told from the log and the catalog however late it is
// read: nobody's membership changes, and every event's cause is what it would have been. %d is a number of its own.
var alterations = []string{
	`ALTER TABLE users ADD extra_%d text`,
	`ALTER TABLE users ADD extra_%d integer DEFAULT 7`,
	`ALTER TABLE users ADD extra_%d timestamptz DEFAULT now()`,
	`ALTER TABLE users ALTER plan TYPE varchar /* %d */`,
	`ALTER TABLE users ALTER plan TYPE text /* %d */`,
	`VACUUM FULL users /* %d */`,
	`ANALYZE users /* %d */`,
}

// upheavals may have the table read again, by which what changes meanwhile has another cause and another position: rows
// written anew, and columns that came, went or changed their names before anybody looked.
var upheavals = []string{
	`ALTER TABLE users ADD extra text /* %d */`,
	`ALTER TABLE users RENAME extra TO other /* %d */`,
	`ALTER TABLE users RENAME other TO extra /* %d */`,
	`ALTER TABLE users DROP extra /* %d */`,
	`ALTER TABLE users DROP other /* %d */`,
	`ALTER TABLE users ALTER score TYPE integer USING score /* %d */`,
	`ALTER TABLE users ADD random_%d float DEFAULT random()`,
}

// startAlterer begins to alter the users table.
func (w *world) startAlterer(seed uint64) *meddler {
	statements := alterations
	if w.upheavals {
		statements = slices.Concat(alterations, upheavals, upheavals)
	}
	n := 0
	return w.meddle(alterEvery, rand.New(rand.NewPCG(seed, 2000)), func(conn *pgx.Conn, r *rand.Rand) error {
		n++
		_, err := conn.Exec(context.Background(), fmt.Sprintf(statements[r.IntN(len(statements))], n))
		return err
	})
}
