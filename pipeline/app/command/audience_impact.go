package command

import (
	"context"
	"encoding/json"
	"net/http"

	"muster/evaluator"
)

// effect is how many users a change moves now.
type effect struct {
	Count int64 `json:"count"` // would be in
	Enter int64 `json:"enter"` // of them, are not in now
	Leave int64 `json:"leave"` // are in now and would not be
}

// impact asks live state how many users would move if the definition were committed; nil when what answers has no live
// state, as with -c.
func (c *client) impact(ctx context.Context, d *evaluator.Definition) (*effect, error) {
	query, err := c.in(ctx)
	if err != nil {
		return nil, err
	}
	query.Set("page_size", "1")
	body := map[string]json.RawMessage{"audience": d.Canonical()}
	var answer struct {
		Count int64 `json:"count"`
		Enter int64 `json:"enter_count"`
		Leave int64 `json:"leave_count"`
	}
	err = c.do(ctx, http.MethodPost, "/v1/audiences/preview", query, body, &answer)
	if isStatus(err, http.StatusNotFound) || isStatus(err, http.StatusMethodNotAllowed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &effect{answer.Count, answer.Enter, answer.Leave}, nil
}
