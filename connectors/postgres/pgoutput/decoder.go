package pgoutput

import (
	"context"
	"fmt"

	"muster/evaluator"
	"muster/pipeline/event"
)

const (
	// PartChanges and PartBytes bound what is held of an open transaction: beyond either it is given out in parts.
	PartChanges = 10_000
	PartBytes   = 16 << 20

	// Beyond these a batch is Full: it should be taken before more is decoded.
	batchChanges = 10_000
	batchBytes   = 16 << 20
)

// Prefixes of the transactional messages that Muster writes into the log.
const (
	TokenPrefix     = "muster.token"     // Change{Op: Token} with the message's content
	TickPrefix      = "muster.tick"      // a transaction that only carries the time
	HeartbeatPrefix = "muster.heartbeat" // the same, on an idle database
)

// Config says which tables mean what.
type Config struct {
	UsersSchema, UsersTable string
	ID                      string
	Properties              string   // "" when there is none
	Columns                 []string // that conditions may see, beside ID and Properties; empty: all
	ControlSchema           string
	Environment             string // rows of others in the control schema are ignored
}

// Decoder holds the state of one stream, across connections.
type Decoder struct {
	config    Config
	types     types
	relations map[uint32]*relation // as described on this connection
	usersOID  uint32
	idType    uint32
	schema    *evaluator.Schema // the one in use
	asOf      event.LSN         // commit at which the receiver's rows have it
	xid       uint32            // of the open transaction

	rows, ids              arena
	cols, old              []column // scratch
	partChanges, partBytes int      // PartChanges and PartBytes but in tests
	size                   int      // of the message at hand, 0 when a change has counted it

	open    open
	pending pending
	time    evaluator.Instant // commit time of the transaction met last
	place   place
	counts  Counts
}

// NewDecoder returns a decoder for a stream that is started after the given position (see Restart).
func NewDecoder(config Config, catalog Catalog) *Decoder {
	return &Decoder{
		config:    config,
		types:     types{catalog: catalog, known: map[uint32]Type{}},
		relations: map[uint32]*relation{},
		time:      evaluator.NegativeInfinity,

		partChanges: PartChanges, partBytes: PartBytes,
	}
}

// UsersOID returns the OID of the users table, 0 before it was met. SetUsersOID tells it beforehand.
func (d *Decoder) UsersOID() uint32 { return d.usersOID }

// SetUsersOID sets which table is followed; a table of another OID under the same name is then refused.
func (d *Decoder) SetUsersOID(oid uint32) { d.usersOID = oid }

// Decode handles one message: the payload of one XLogData. message is not kept. The context bounds catalog look-ups.
func (d *Decoder) Decode(ctx context.Context, message []byte) error {
	if len(message) == 0 {
		return ErrMalformed
	}
	c := &cursor{rest: message[1:]}
	d.size = len(message)
	var err error
	switch message[0] {
	case 'B':
		err = d.begin(c)
		d.xid = c.uint32()
	case 'C':
		err = d.commit(c)
	case 'R':
		err = d.relation(ctx, c)
	case 'I':
		err = d.insert(ctx, c)
	case 'U':
		err = d.update(ctx, c)
	case 'D':
		err = d.delete(ctx, c)
	case 'T':
		err = d.truncate(ctx, c)
	case 'M':
		err = d.message(c)
	case 'Y', 'O': // the name of a type, the origin of a transaction: not needed
	default:
		return fmt.Errorf("%w: kind %q", ErrMalformed, message[0])
	}
	if err == nil && c.bad {
		return fmt.Errorf("%w: kind %q ends early", ErrMalformed, message[0])
	}
	return err
}

// lookup returns the relation of a change.
func (d *Decoder) lookup(oid uint32) (*relation, error) {
	if rel := d.relations[oid]; rel != nil {
		return rel, nil
	}
	return nil, fmt.Errorf("%w: a change of relation %d before its description", ErrMalformed, oid)
}

// message handles what pg_logical_emit_message wrote. Non-transactional ones are none of ours.
func (d *Decoder) message(c *cursor) error {
	transactional := c.uint8()&1 != 0
	c.take(8) // its own LSN is no position
	prefix := c.text()
	content := c.take(int(c.uint32()))
	if c.bad || !transactional || prefix != TokenPrefix {
		return nil
	}
	return d.add(tableOther, event.Change{Op: event.Token, Token: string(content)})
}
