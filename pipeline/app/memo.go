package app

import (
	"context"
	"encoding/json"
	"fmt"

	"muster/pipeline/state"
)

// memo keeps a value of type T in the state under a name.
type memo[T any] struct {
	store *state.Store
	name  string
}

func (m memo[T]) load() (v T, err error) {
	data, err := m.store.Memo(m.name)
	if err != nil || data == nil {
		return v, err
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("read %s: %w", m.name, state.ErrCorrupt)
	}
	return v, nil
}

func (m memo[T]) save(_ context.Context, v T) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", m.name, err)
	}
	return m.store.SetMemo(m.name, data)
}
