package app

import (
	"context"

	"muster/connectors/api"
	"muster/connectors/postgres"
)

// replies keeps what requests were answered in the control schema.
type replies struct{ control *postgres.Control }

// Claim implements api.Replies.
func (r replies) Claim(ctx context.Context, caller, key string, digest []byte) (api.Claimed, api.Claim, api.Reply, error) {
	own, same, reply, err := r.control.ClaimReply(ctx, caller, key, digest, api.ReplyTime)
	switch {
	case err != nil:
		return 0, nil, api.Reply{}, err
	case own != nil:
		return api.Fresh, claim{own}, api.Reply{}, nil
	case !same:
		return api.Reused, nil, api.Reply{}, nil
	case reply.Status == 0:
		return api.Running, nil, api.Reply{}, nil
	}
	return api.Replayed, nil, api.Reply(reply), nil
}

// claim is the claim of a request that is being served.
type claim struct{ *postgres.Claim }

// Keep implements api.Claim.
func (c claim) Keep(ctx context.Context, reply api.Reply) error {
	return c.Claim.Keep(ctx, postgres.Reply(reply))
}
