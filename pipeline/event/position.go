package event

import (
	"fmt"
	"log/slog"
)

// LSN is a byte position in Postgres's write-ahead log.
type LSN uint64

// String is Postgres's own form, as in 0/1A2B3C8.
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint32(l>>32), uint32(l)) }

// LogValue implements slog.LogValuer, so that logs of every format have Postgres's own form, which can be searched for there.
func (l LSN) LogValue() slog.Value { return slog.StringValue(l.String()) }

// Position orders everything that happens: the LSN of the commit record of a transaction and an index within it. Change
// LSNs would not do, they are neither unique nor monotonic across transactions; commit LSNs are both.
type Position struct {
	LSN   LSN    `json:"lsn"`
	Index uint32 `json:"index"`
}

// Before reports whether p lies before o.
func (p Position) Before(o Position) bool {
	return p.LSN < o.LSN || p.LSN == o.LSN && p.Index < o.Index
}
