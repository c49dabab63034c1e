package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"muster/pipeline/event"

	"github.com/jackc/pglogrepl"
)

// Slot is what pg_replication_slots says of the slot.
type Slot struct {
	Exists         bool
	Plugin         string
	Database       string
	Temporary      bool
	ActivePID      int // of the walsender that streams from it, 0 when none does
	ConfirmedFlush event.LSN
	WALStatus      string // reserved, extended, unreserved or lost
	RetainedBytes  int64  // of log that the server keeps for it
}

// inspection is what one look at the catalog finds.
type inspection struct {
	database    string
	version     int // server_version_num
	slot        Slot
	usersOID    uint32
	usersKind   string   // relkind: r or p
	unpublished []string // tables the publication lacks, quoted
	viaRoot     bool     // the publication publishes partitions as their root
	partial     bool     // the publication leaves out some kind of change

	recovering    bool          // a standby, or a server that is still on its way to be promoted
	position      event.LSN     // where the server's log ends
	senderTimeout time.Duration // wal_sender_timeout as it is for this connection, 0 is none
}

// inspectSQL reads in one statement, so that it works on replication connections, too. The current position is that of the
// replay on a standby.
func (s *Source) inspectSQL() string {
	users := s.options.Users.table()
	return fmt.Sprintf(`
SELECT current_database(), current_setting('server_version_num'),
       s.plugin, s.database, s.temporary, s.active_pid, s.confirmed_flush_lsn, s.wal_status,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn)::bigint,
       to_regclass(%[2]s)::oid, (SELECT relkind FROM pg_class WHERE oid = to_regclass(%[2]s)),
       (SELECT string_agg(t.n, E'\n') FROM unnest(ARRAY[%[2]s, %[4]s, %[5]s]) AS t(n)
         WHERE NOT EXISTS (SELECT FROM pg_publication_tables p WHERE p.pubname = %[3]s
               AND quote_ident(p.schemaname) || '.' || quote_ident(p.tablename) = to_regclass(t.n)::text)),
       (SELECT pubviaroot FROM pg_publication WHERE pubname = %[3]s),
       (SELECT NOT (pubinsert AND pubupdate AND pubdelete AND pubtruncate) FROM pg_publication WHERE pubname = %[3]s),
       (SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout'),
       pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_flush_lsn() END
  FROM (VALUES (1)) AS one LEFT JOIN pg_replication_slots s ON s.slot_name = %[1]s`,
		literal(s.options.Slot), literal(users.quoted()), literal(s.options.Publication),
		literal(tableName{s.options.Schema, "commits"}.quoted()), literal(tableName{s.options.Schema, "members"}.quoted()))
}

// querier runs one statement and returns its rows as text.
type querier interface {
	rows(ctx context.Context, sql string) ([][][]byte, error)
}

func (s *Source) inspect(ctx context.Context, q querier) (inspection, error) {
	rows, err := q.rows(ctx, s.inspectSQL())
	if err != nil || len(rows) != 1 {
		return inspection{}, fmt.Errorf("look at slot, publication and tables: %w", err)
	}
	text := make([]string, len(rows[0]))
	for i, field := range rows[0] {
		text[i] = string(field)
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // NULL is 0; what the server prints parses
	position, _ := pglogrepl.ParseLSN(text[6])
	end, _ := pglogrepl.ParseLSN(text[16])
	found := inspection{
		database: text[0],
		version:  number(text[1]),
		slot: Slot{
			Exists: text[2] != "", Plugin: text[2], Database: text[3], Temporary: text[4] == "t", ActivePID: number(text[5]),
			ConfirmedFlush: event.LSN(position), WALStatus: text[7], RetainedBytes: int64(number(text[8])),
		},
		usersOID:  uint32(number(text[9])),
		usersKind: text[10],
		viaRoot:   text[12] == "t",
		partial:   text[13] == "t",

		senderTimeout: time.Duration(number(text[14])) * time.Millisecond,
		recovering:    text[15] == "t",
		position:      event.LSN(end),
	}
	if text[11] != "" {
		found.unpublished = strings.Split(text[11], "\n")
	}
	return found, nil
}

// lacks says what of the publication is missing, "" when it is complete.
func (i inspection) lacks(publication string) string {
	switch {
	case len(i.unpublished) > 0:
		return strings.Join(i.unpublished, ", ") + " in " + strconv.Quote(publication)
	case i.partial:
		return strconv.Quote(publication) + " leaves some kinds of change out"
	}
	return ""
}

// publish is the statement that adds what the publication lacks.
func (i inspection) publish(publication string) string {
	if len(i.unpublished) == 0 {
		return "ALTER PUBLICATION " + quote(publication) + " SET (publish = 'insert, update, delete, truncate')"
	}
	if i.usersKind == "p" && !i.viaRoot {
		return "ALTER PUBLICATION " + quote(publication) + " SET (publish_via_partition_root = true)"
	}
	return "ALTER PUBLICATION " + quote(publication) + " ADD TABLE " + strings.Join(i.unpublished, ", ")
}
