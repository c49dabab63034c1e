package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"muster/config"
	"muster/connectors/api"
	"muster/connectors/postgres"
	"muster/evaluator"
	"muster/pipeline"
	"muster/pipeline/event"
)

// apiConnections is how many requests may be in the control schema at once; more wait.
const apiConnections = 8

// newAPI builds the worker's API over its state and the control schema.
func (w *Worker) newAPI() *api.API {
	o := apiOptions(w.config, w.control, w.log)
	o.Version = w.build.Version
	o.Positions = positions{w.pipeline, w.control}
	o.Observe = func(route string, status int, took time.Duration) { w.metrics.HTTP(route, strconv.Itoa(status), took) }
	return api.New(o, w.parts()...)
}

// parts are the endpoints that a worker serves.
func (w *Worker) parts() []api.Part {
	managed := definitions(w.config, w.control)
	managed.Columns = w.columns
	return append([]api.Part{managed, w.data()}, w.live()...)
}

// columns is the users table as the stream carries it, for the environment that this worker serves. What the tables of others
// are like, their workers know.
func (w *Worker) columns(environment string) (schema *evaluator.Schema) {
	if environment != w.config.Environment {
		return nil
	}
	err := live{w.pipeline}.read(func(r *pipeline.Reading) error {
		schema = r.Schema()
		return nil
	})
	if err != nil {
		return nil // not ready; the worker looks again when the version reaches it
	}
	return schema
}

// DefinitionsAPI is the management of definitions over the control schema alone, for commands that run where no worker
// serves. It keeps no keys: who can read the configuration may do everything.
func DefinitionsAPI(c *config.Config, control *postgres.Control, log *slog.Logger) http.Handler {
	o := apiOptions(c, control, log)
	o.Keys, o.RequestsPerSecond = nil, 0
	return api.New(o, definitions(c, control))
}

func apiOptions(c *config.Config, control *postgres.Control, log *slog.Logger) api.Options {
	o := api.Options{
		RequestsPerSecond: c.HTTP.Limits.RequestsPerSecond, MaxBody: int64(c.HTTP.Limits.Body), Replies: replies{control},
		Classify: classify, Log: log,
	}
	for _, key := range c.HTTP.APIKeys {
		role, err := api.ParseRole(key.Role)
		if err != nil { // the configuration is validated
			role = api.RoleNone
		}
		o.Keys = append(o.Keys, api.Key{Name: key.Name, Role: role, Hash: key.Hash()})
	}
	return o
}

func definitions(c *config.Config, control *postgres.Control) api.Definitions {
	return api.Definitions{Environments: c.Environments, Audiences: control, Proposals: control, Commits: control, Versions: control, Promotions: control}
}

// kinds are the errors whose kind is known by name.
var kinds = []struct {
	err  error
	kind api.Kind
}{
	{postgres.ErrUnknownAudience, api.Missing},
	{postgres.ErrUnknownCommit, api.Missing},
	{postgres.ErrUnknownBulk, api.Missing},
	{postgres.ErrIdentifyOff, api.Invalid},
	{postgres.ErrUsersReadOnly, api.Invalid},
	{postgres.ErrConflict, api.Conflict},
	{postgres.ErrAudienceType, api.Invalid},
	{postgres.ErrNotStatic, api.Invalid},
	{pipeline.ErrNotReady, api.Unavailable},
	{pipeline.ErrStopped, api.Unavailable},
	{pipeline.ErrPassed, api.Unavailable},
	{ErrMoving, api.Unavailable},
}

// classify tells the API what kind of failure an error of the database or the pipeline is.
func classify(err error) api.Kind {
	for _, known := range kinds {
		if errors.Is(err, known.err) {
			return known.kind
		}
	}
	var referenced *postgres.ReferencedError
	var refused *pgconn.PgError
	var unreachable *pgconn.ConnectError
	switch {
	case errors.As(err, &referenced):
		return api.Conflict
	case errors.As(err, &refused):
		return classifyState(refused.Code)
	case errors.As(err, &unreachable), pgconn.SafeToRetry(err), pgconn.Timeout(err):
		return api.Unavailable
	}
	return api.Internal
}

// classifyState goes by the SQLSTATE's class, as listed in an appendix of Postgres's manual.
func classifyState(code string) api.Kind {
	switch {
	case strings.HasPrefix(code, "22"), // a value that no column takes, such as text with U+0000
		strings.HasPrefix(code, "54"), code == "P0001": // too large for an index; what a trigger of the users table raised
		return api.Invalid
	case strings.HasPrefix(code, "23"): // a constraint of the users table, such as rows that refer to a user to be deleted
		return api.Conflict
	case strings.HasPrefix(code, "40"), code == "55P03": // a deadlock, a lock that was waited for: the same again will pass
		return api.Busy
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"), // connection, resources, intervention
		code == "42P01", code == "3F000": // the control schema is not made yet
		return api.Unavailable
	}
	return api.Internal
}

// positions is how far the pipeline has come, as the API asks for it.
type positions struct {
	*pipeline.Pipeline
	control *postgres.Control
}

// Reach implements api.Positions.
func (p positions) Reach(ctx context.Context) (event.LSN, error) { return p.control.Reach(ctx) }
