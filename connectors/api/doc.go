// Package api is Muster's HTTP API: definitions and environments, members and users, reverse ETL, and questions to live
// state, from one listener, with an OpenAPI 3.1 document that is made from the code.
//
// It guarantees that
//   - it writes rows and reads state, and nothing else: whatever it changes reaches the engine through the log;
//   - a request is answered by its role's key alone, keys are compared in constant time, and without any key only
//     programs on this machine are served (no other machine, no page in a browser);
//   - an error has the published shape, with every fault of the request and its place, and tells nothing of the inside;
//   - a write that is retried under its Idempotency-Key is done once;
//   - a read with the Muster-Position of a write sees that write;
//   - pages neither skip nor repeat what was in a list all along.
//
// Every endpoint stands behind the same chain; the part in brackets is of endpoints that write:
//
//	request -> served      panic to 500, access log, metrics
//	        -> authorize   401, 403, 429
//	        -> [takeBody   408, 413, not UTF-8, nested too deep]
//	        -> [replaying  Idempotency-Key]
//	        -> awaitPosition
//	        -> huma        parameters and body by their tags: 400, 415, 422
//	        -> the handler
//
// # Adding an endpoint
//
// Endpoints come in parts. A part is an exported struct that holds what its endpoints need, as interfaces of this package
// with at most three methods each; pipeline/app satisfies them and hands the part to New:
//
//	// Lookups answers what a workflow asks.
//	type Lookups struct{ Members Membership }
//
//	type Membership interface {
//		Membership(audience, user, tenant string) (m Member, in, known bool, err error)
//	}
//
//	func (l Lookups) register(a *API) {
//		register(a, endpoint{
//			method: http.MethodGet, path: "/v1/audiences/{key}/members/{user_id}", id: "get-member", tag: "Members",
//			summary: "Is this user in?", role: RoleRead,
//		}, l.get)
//	}
//
//	type getMember struct {
//		Key    string `path:"key"`
//		User   string `path:"user_id"`
//		Tenant string `query:"tenant"`
//	}
//
//	func (l Lookups) get(ctx context.Context, in *getMember) (*answer[Member], error) {
//		...
//		return nil, notFound("user %q is not in audience %q", in.User, in.Key)
//		...
//		return &answer[Member]{Body: m}, nil
//	}
//
// Embed PageQuery in the input of a list, read its window, and answer pageOf. Return the errors of notFound, conflict,
// invalid and invalidAll; evaluator.Faults as they are; anything else goes to Options.Classify, and what that does not know
// is a 500 that is logged. After a write, call a.wrote(ctx, token) with the token of its transaction (keep the *API in a
// struct of your own made by register). A handler that streams its answer returns an output whose Body is a
// func(huma.Context); one that streams its request sets endpoint.streamed. Unknown keys of a body are ignored; the type of
// a field that may be anything is json.RawMessage.
package api
