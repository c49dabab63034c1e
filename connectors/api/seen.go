package api

import "context"

// seen waits until readers see the effects of a write that this very request made, so that its answer can show them.
func (a *API) seen(ctx context.Context, token string) error {
	if a.Positions == nil || token == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := a.Positions.AwaitToken(ctx, token); err != nil {
		return unavailable("it is written; the worker has not come as far within %s, ask for it later", patience)
	}
	return nil
}
