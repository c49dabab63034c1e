package pgoutput

import "muster/pipeline/event"

// Counts is how much has come out since the decoder was made.
type Counts struct {
	Transactions uint64
	changes      [tableCount][event.Token + 1]uint64
}

// TableOp is a kind of change by the names that metrics use.
type TableOp struct{ Table, Op string }

func (c *Counts) add(of table, op event.Op) { c.changes[of][op]++ }

var (
	tableNames = [tableCount]string{"messages", "users", "members", "commits"}
	opNames    = [event.Token + 1]string{"upsert", "delete", "truncate", "insert", "delete", "truncate", "insert", "token"}
)

// Changes returns the count of each kind of change that occurred.
func (c *Counts) Changes() map[TableOp]uint64 {
	counts := map[TableOp]uint64{}
	for of := range c.changes {
		for op, n := range c.changes[of] {
			if n > 0 {
				counts[TableOp{tableNames[of], opNames[op]}] = n
			}
		}
	}
	return counts
}

// Counts returns a copy.
func (d *Decoder) Counts() Counts { return d.counts }
