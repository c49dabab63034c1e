package nemesis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// writers change the tables until they are stopped, several at the same time, so that commit times step back now and then
// and transactions wait for one another. Whatever goes wrong for them, a deadlock or a server that is gone, they go on: the
// history knows what was committed.
type writers struct {
	committed atomic.Int64
	refused   atomic.Int64
	lastError atomic.Pointer[error]
	ctx       context.Context
	cancel    context.CancelFunc
	running   sync.WaitGroup
}

// writeEvery is the pace of each writer.
const writeEvery = 8 * time.Millisecond

func (w *world) startWriters(n int, seed uint64) *writers {
	ctx, cancel := context.WithCancel(context.Background())
	s := &writers{ctx: ctx, cancel: cancel}
	for i := range n {
		s.running.Go(func() { s.write(w.pg.DSN(), workload{rand.New(rand.NewPCG(seed, uint64(i)))}) })
	}
	w.Cleanup(s.stop)
	return s
}

func (s *writers) stop() {
	s.cancel()
	s.running.Wait()
}

func (s *writers) write(dsn string, l workload) {
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	var conn *pgx.Conn
	for {
		select {
		case <-s.ctx.Done():
			if conn != nil {
				_ = conn.Close(context.Background())
			}
			return
		case <-tick.C:
		}
		if conn == nil || conn.IsClosed() {
			var err error
			if conn, err = pgx.Connect(s.ctx, dsn); err != nil {
				conn = nil
				continue
			}
		}
		// Not under ctx: a statement that is given up may still be committed, after what is meant to be the last.
		if _, err := conn.PgConn().Exec(context.Background(), l.transaction()).ReadAll(); err != nil {
			_, _ = conn.PgConn().Exec(context.Background(), "ROLLBACK").ReadAll()
			s.refused.Add(1)
			s.lastError.Store(&err)
			continue
		}
		s.committed.Add(1)
	}
}

// workload makes transactions.
type workload struct{ *rand.Rand }

// users is how many there may be: few enough that the writers meet.
const users = 120

func (l workload) user() string { return fmt.Sprintf("u%03d", l.IntN(users)) }

func (l workload) pick(values ...string) string { return values[l.IntN(len(values))] }

// transaction is one as SQL; several statements of one simple query are one transaction.
func (l workload) transaction() string {
	n := 1
	if l.IntN(4) == 0 {
		n = 1 + l.IntN(5)
	}
	sql := ""
	for range n {
		sql += l.statement() + ";"
	}
	switch l.IntN(40) {
	case 0:
		return "BEGIN;" + sql + "ROLLBACK"
	case 1: // part of it is taken back
		return "BEGIN;" + sql + "SAVEPOINT s;" + l.statement() + "; ROLLBACK TO s;" + l.statement() + "; COMMIT"
	}
	return sql
}

func (l workload) statement() string {
	u := l.user()
	switch n := l.IntN(200); {
	case n < 60:
		return fmt.Sprintf(`INSERT INTO users (id, plan, score, ends_at, seen_at, note, properties) VALUES ('%s', %s, %d, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET plan = EXCLUDED.plan, ends_at = EXCLUDED.ends_at, seen_at = EXCLUDED.seen_at, properties = EXCLUDED.properties`,
			u, l.plan(), l.IntN(200), l.endsAt(), l.seenAt(), l.note(), l.properties())
	case n < 80:
		return fmt.Sprintf(`UPDATE users SET plan = %s WHERE id = '%s'`, l.plan(), u)
	case n < 100:
		return fmt.Sprintf(`UPDATE users SET score = %d WHERE id = '%s'`, l.IntN(200), u)
	case n < 125:
		return fmt.Sprintf(`UPDATE users SET ends_at = %s WHERE id = '%s'`, l.endsAt(), u)
	case n < 140:
		return fmt.Sprintf(`UPDATE users SET seen_at = %s WHERE id = '%s'`, l.seenAt(), u)
	case n < 150:
		return fmt.Sprintf(`UPDATE users SET note = %s WHERE id = '%s'`, l.note(), u)
	case n < 162:
		return fmt.Sprintf(`DELETE FROM users WHERE id = '%s'`, u)
	case n < 170:
		return fmt.Sprintf(`UPDATE users SET id = '%s' WHERE id = '%s' AND NOT EXISTS (SELECT FROM users WHERE id = '%[1]s')`, l.user(), u)
	case n < 182:
		return fmt.Sprintf(`INSERT INTO muster.members (environment, audience, user_id, tenant) VALUES ('nemesis', 'invited', '%s', '%s') ON CONFLICT DO NOTHING`,
			u, l.pick("", "acme", "globex"))
	case n < 194:
		return fmt.Sprintf(`DELETE FROM muster.members WHERE user_id = '%s'`, u)
	case n < 198:
		return fmt.Sprintf(`UPDATE users SET score = score + %d WHERE id < '%s'`, l.IntN(20)-10, u)
	default:
		return l.pick(`DELETE FROM users WHERE id < 'u020'`, `DELETE FROM muster.members`, `TRUNCATE users`, `TRUNCATE muster.members`)
	}
}

func (l workload) plan() string { return l.pick("'pro'", "'pro'", "'free'", "NULL") }

// endsAt is within a second or two of turning one condition or the other.
func (l workload) endsAt() string {
	return l.around("clock_timestamp()", "clock_timestamp() + interval '1 minute'")
}

func (l workload) seenAt() string { return l.around("now()", "clock_timestamp() - interval '1 hour'") }

// around is NULL or an instant about one of those given.
func (l workload) around(instants ...string) string {
	if l.IntN(4) == 0 {
		return "NULL"
	}
	return l.pick(instants...) + fmt.Sprintf(" + interval '%d microseconds'", l.IntN(3_000_000)-500_000)
}

// note is long enough to be TOASTed more often than not.
func (l workload) note() string {
	return l.pick("NULL", "'a needle'", longNote, longNote+" || 'needle'", longNote+" || 'needle'")
}

func (l workload) properties() string {
	return l.pick("NULL", `'{"country": "IT"}'`, `'{"country": "FR"}'`)
}
