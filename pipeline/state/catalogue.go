package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Audience is what is known of one audience key.
type Audience struct {
	ID  evaluator.AudienceID `json:"-"`
	Key string               `json:"key"`
	// Versions ascend by Generation. The last is in force; those before it are kept while records exist that were
	// judged by an earlier generation. Empty for a key that only static members name so far.
	Versions []Version `json:"versions"`
}

// Version is one version of a definition and the generation from which it is in force.
type Version struct {
	Generation uint64          `json:"generation"`
	Number     uint32          `json:"number"`
	SHA        string          `json:"sha"`
	Archived   bool            `json:"archived,omitempty"`
	Document   json.RawMessage `json:"document"`
}

// At returns the version in force at a generation, or nil when there was none.
func (a *Audience) At(generation uint64) *Version {
	var found *Version
	for i := range a.Versions {
		if a.Versions[i].Generation <= generation {
			found = &a.Versions[i]
		}
	}
	return found
}

// Epoch is the moment at which a generation of definitions came into force.
type Epoch struct {
	Generation uint64            `json:"-"`
	Now        evaluator.Instant `json:"now"`
	Committed  evaluator.Instant `json:"committed"`
	Position   event.Position    `json:"position"`
	Schema     uint32            `json:"schema"`
	// Reshaped is true when the users table changed its shape, which never triggers anything.
	Reshaped bool `json:"reshaped,omitempty"`
}

// Audiences returns every audience known.
func (v *View) Audiences() ([]Audience, error) {
	var list []Audience
	err := v.walk([]byte{prefixAudience}, []byte{prefixAudience + 1}, func(key, value []byte) (bool, error) {
		a := Audience{ID: evaluator.AudienceID(binary.BigEndian.Uint32(key[1:]))}
		if err := json.Unmarshal(value, &a); err != nil {
			return false, fmt.Errorf("read audience %d: %w", a.ID, ErrCorrupt)
		}
		list = append(list, a)
		return true, nil
	})
	return list, err
}

// Epochs returns the generations that records may still be judged by, ascending; the last is in force.
func (v *View) Epochs() ([]Epoch, error) {
	var list []Epoch
	err := v.walk([]byte{prefixEpoch}, []byte{prefixEpoch + 1}, func(key, value []byte) (bool, error) {
		e := Epoch{Generation: binary.BigEndian.Uint64(key[1:])}
		if err := json.Unmarshal(value, &e); err != nil {
			return false, fmt.Errorf("read generation %d: %w", e.Generation, ErrCorrupt)
		}
		list = append(list, e)
		return true, nil
	})
	return list, err
}

// Schemas returns every shape of the users table that a stored row may have.
func (v *View) Schemas() (map[uint32]*evaluator.Schema, error) {
	schemas := make(map[uint32]*evaluator.Schema)
	err := v.walk([]byte{prefixSchema}, []byte{prefixSchema + 1}, func(key, value []byte) (bool, error) {
		s := new(evaluator.Schema)
		if err := json.Unmarshal(value, s); err != nil {
			return false, fmt.Errorf("read schema: %w", ErrCorrupt)
		}
		schemas[binary.BigEndian.Uint32(key[1:])] = s
		return true, nil
	})
	return schemas, err
}

// SetAudience writes an audience.
func (b *Batch) SetAudience(a *Audience) error {
	return b.setJSON(numberedKey(nil, prefixAudience, uint32(a.ID)), a)
}

// SetEpoch writes a generation.
func (b *Batch) SetEpoch(e Epoch) error { return b.setJSON(epochKey(e.Generation), e) }

// DeleteEpoch removes a generation that no record is judged by any more.
func (b *Batch) DeleteEpoch(generation uint64) error { return b.delete(epochKey(generation)) }

// SetSchema writes a shape of the users table.
func (b *Batch) SetSchema(id uint32, s *evaluator.Schema) error {
	return b.setJSON(numberedKey(nil, prefixSchema, id), s)
}

// DeleteSchema removes a shape that no stored row has any more.
func (b *Batch) DeleteSchema(id uint32) error {
	return b.delete(numberedKey(nil, prefixSchema, id))
}

func (b *Batch) setJSON(key []byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	return b.set(key, data)
}

func epochKey(generation uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixEpoch}, generation)
}
