package pipeline

import (
	"errors"
	"fmt"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// ErrNotReady is returned to readers before the first snapshot has given the state its definitions.
var ErrNotReady = errors.New("the worker has no state to read yet; its first snapshot is still running")

// Reading is the state as of one position, with the definitions in force there. Close it.
type Reading struct {
	snapshot   *state.Snapshot
	head       state.Head
	generation *generation
}

// Read returns a reading of the state as it is now.
func (p *Pipeline) Read() (*Reading, error) {
	for {
		g := p.inForce.Load()
		if g == nil {
			return nil, ErrNotReady
		}
		snapshot := p.store.Snapshot()
		head, err := snapshot.Head()
		if err == nil && head.Generation == g.Generation {
			return &Reading{snapshot, head, g}, nil
		}
		// a definition came into force between the two looks
		if err := errors.Join(err, snapshot.Close()); err != nil {
			return nil, err
		}
	}
}

// Close releases the reading.
func (r *Reading) Close() error { return r.snapshot.Close() }

// Position is the last transaction whose effects the reading has.
func (r *Reading) Position() event.LSN { return r.head.Position }

// Now is the clock of the reading: the last now that anything was judged at.
func (r *Reading) Now() evaluator.Instant { return r.head.Clock }

// Schema is the shape of the users table.
func (r *Reading) Schema() *evaluator.Schema { return r.generation.schema }

// Audience is one audience in force.
type Audience struct {
	ID         evaluator.AudienceID
	Key        string
	Version    uint32
	Definition *evaluator.Definition
}

func audienceOf(r *rule) Audience {
	return Audience{ID: r.id, Key: r.key, Version: r.version, Definition: r.definition}
}

// Audience returns the audience of a key; ok is false when none is in force.
func (r *Reading) Audience(key string) (a Audience, ok bool) {
	rule := r.generation.keys[key]
	if rule == nil {
		return Audience{}, false
	}
	return audienceOf(rule), true
}

// Audiences returns every audience in force, in no order.
func (r *Reading) Audiences() []Audience {
	list := make([]Audience, 0, len(r.generation.rules))
	for _, rule := range r.generation.rules {
		list = append(list, audienceOf(rule))
	}
	return list
}

// User is one user in a reading.
type User struct {
	ID     string
	Row    *evaluator.Row // nil: only static members are recorded under this id
	Record state.Record
}

// User returns what is known of an id; ok is false when nothing is.
func (r *Reading) User(id string) (u User, ok bool, err error) {
	u.ID = id
	found, _, err := r.snapshot.Record(id, &u.Record, nil)
	if err != nil || !found {
		return User{}, false, err
	}
	u.Row, err = r.row(&u.Record)
	return u, true, err
}

// row returns the row of a record in the reading's schema, nil when the user is absent.
func (r *Reading) row(record *state.Record) (*evaluator.Row, error) {
	if !record.Present {
		return nil, nil
	}
	tuple := record.Tuple
	if record.Schema != r.generation.Epoch.Schema {
		schemas, err := r.snapshot.Schemas()
		if err != nil {
			return nil, err
		}
		if tuple, err = tuple.Reshape(schemas[record.Schema], r.generation.schema); err != nil {
			return nil, fmt.Errorf("stored row: %w", err)
		}
	}
	return evaluator.NewRow(r.generation.schema, tuple)
}

// Input returns a user as the evaluator sees it at the reading's clock.
func (r *Reading) Input(u *User) evaluator.Input {
	return evaluator.Input{User: u.ID, Row: u.Row, Now: r.head.Clock, Given: r.generation.given(nil, &u.Record)}
}

// Users calls visit with each id after the given one, in byte order, until it returns false. The user and what it holds
// are valid during the call only.
func (r *Reading) Users(after string, visit func(*User) (bool, error)) error {
	u := new(User)
	row := new(evaluator.Row)
	return r.snapshot.Users(after, func(id string, encoded []byte) (bool, error) {
		u.ID = id
		if err := r.load(u, row, encoded); err != nil {
			return false, err
		}
		return visit(u)
	})
}

// Members calls visit with each member of an audience behind (user, tenant), in byte order, until it returns false.
func (r *Reading) Members(id evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error {
	return r.snapshot.Members(id, user, tenant, visit)
}

// Recorded is Members over the recorded members of a static audience, those whose user is missing included.
func (r *Reading) Recorded(id evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error {
	return r.snapshot.Recorded(id, user, tenant, visit)
}

// Membership is one user's present membership of one audience.
type Membership struct {
	Audience   string
	Tenant     string
	Since      evaluator.Instant
	Version    uint32 // of the definition that let it in
	EntryCount uint64
}

// Membership answers whether a user is in an audience with just that tenant ("" is none), from the newest state. It is
// the question a workflow asks before it branches, and takes one read. known is false when there is no such audience.
func (p *Pipeline) Membership(key, user, tenant string) (m Membership, in, known bool, err error) {
	g := p.inForce.Load()
	if g == nil {
		return Membership{}, false, false, ErrNotReady
	}
	rule := g.keys[key]
	if rule == nil {
		return Membership{}, false, false, nil
	}
	var record state.Record
	if _, _, err := p.store.Record(user, &record, nil); err != nil {
		return Membership{}, false, true, err
	}
	found := record.Membership(rule.id, tenant)
	if found == nil || !found.In {
		return Membership{}, false, true, nil
	}
	return membershipOf(rule, found), true, true, nil
}

// Memberships returns every membership a user has, from the newest state, by audience id and tenant.
func (p *Pipeline) Memberships(user string) ([]Membership, error) {
	g := p.inForce.Load()
	if g == nil {
		return nil, ErrNotReady
	}
	var record state.Record
	if _, _, err := p.store.Record(user, &record, nil); err != nil {
		return nil, err
	}
	var list []Membership
	for i := range record.Memberships {
		m := &record.Memberships[i]
		if rule := g.rules[m.Audience]; m.In && rule != nil {
			list = append(list, membershipOf(rule, m))
		}
	}
	return list, nil
}

func membershipOf(r *rule, m *state.Membership) Membership {
	return Membership{Audience: r.key, Tenant: m.Tenant, Since: m.EnteredAt, Version: m.Version, EntryCount: m.Count}
}
