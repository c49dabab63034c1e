package state

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Format is the version of everything this package writes.
const Format = 1

// Identity says what a state directory is the state of. It is written once, when the directory is made.
type Identity struct {
	Format      int    `json:"format"`
	SystemID    string `json:"system_id"` // of the Postgres cluster
	Timeline    int32  `json:"timeline"`
	Database    string `json:"database"`
	Slot        string `json:"slot"`
	Publication string `json:"publication"`
	Table       string `json:"table"`
	Environment string `json:"environment"`
}

// ErrForeign is returned when a state directory belongs to another database, slot, table or environment than the one it
// is to be used with.
var ErrForeign = errors.New("state directory belongs elsewhere")

// Match returns ErrForeign, wrapped with what differs and what to do, unless other is what the state is of. A timeline
// that has grown is not a mismatch by itself: the caller knows whether the slot came along with the failover.
func (i Identity) Match(other Identity) error {
	for _, f := range [...]struct{ what, have, want string }{
		{"Postgres cluster (system identifier)", i.SystemID, other.SystemID},
		{"database", i.Database, other.Database},
		{"replication slot", i.Slot, other.Slot},
		{"publication", i.Publication, other.Publication},
		{"users table", i.Table, other.Table},
		{"environment", i.Environment, other.Environment},
	} {
		if f.have != f.want {
			return fmt.Errorf("%w: it was made for %s %q, the configuration names %q; use another state.dir, or `muster rebuild` to make this one anew",
				ErrForeign, f.what, f.have, f.want)
		}
	}
	return nil
}

// Identity returns the identity the directory was made with; ok is false for a new directory.
func (s *Store) Identity() (id Identity, ok bool, err error) {
	data, err := s.get(namedKey(prefixMeta, metaIdentity))
	if err != nil || data == nil {
		return Identity{}, false, err
	}
	if err := json.Unmarshal(data, &id); err != nil {
		return Identity{}, false, fmt.Errorf("read identity: %w", ErrCorrupt)
	}
	if id.Format != Format {
		return Identity{}, false, fmt.Errorf("state has format %d, this program writes format %d; make it anew with `muster rebuild`", id.Format, Format)
	}
	return id, true, nil
}

// SetIdentity writes the identity of a new directory, durably.
func (s *Store) SetIdentity(id Identity) error {
	id.Format = Format
	data, err := json.Marshal(id)
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	return s.setSync(namedKey(prefixMeta, metaIdentity), data)
}
