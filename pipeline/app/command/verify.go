package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"muster/config"
	"muster/connectors/api"
	"muster/pipeline/app"
	"muster/pipeline/state"
)

func newVerify() *cobra.Command {
	var path, origin, key string
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify -c muster.yaml",
		Short: "Recompute every membership from Postgres and compare it with the state and ClickHouse",
		Long: `Read all users under a fresh snapshot of Postgres, judge each by every audience with the plain evaluator, and compare
with what the worker's state and ClickHouse say at exactly that point of the log: rows, memberships, timers, static members,
and each membership's last event. Exit code 1, and the differences, if there are any.

A running worker does it itself, while it goes on; it is asked through its API with an admin key (from the configuration,
or --key). Where none runs, the state is opened, and first brought up to the snapshot as the next start would do.`,
		Example: "  muster verify -c muster.yaml\n  muster verify -c muster.yaml --json | jq .found",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configured(path)
			if err != nil {
				return err
			}
			log := logger(cfg.Log, c.ErrOrStderr())
			progress := verifyProgress(c.ErrOrStderr(), log)
			result, err := app.Verify(c.Context(), cfg, log, progress)
			if errors.Is(err, state.ErrLocked) {
				result, err = verifyRunning(c.Context(), first(origin, originOf(cfg)), first(key, os.Getenv("MUSTER_API_KEY"), adminKey(cfg)), progress)
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(c.OutOrStdout(), result)
			} else {
				err = printVerified(c.OutOrStdout(), result)
			}
			if err == nil && result.Differences > 0 {
				err = errReported
			}
			return err
		},
	}
	configFlag(c, &path)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&origin, "url", "", "origin of the running worker's API; default: http.listen of the configuration")
	c.Flags().StringVar(&key, "key", "", "admin key of it (better: MUSTER_API_KEY, which other users of the machine cannot see)")
	return c
}

// originOf is where a worker of this configuration serves, seen from its own machine.
func originOf(c *config.Config) string {
	host, port, err := net.SplitHostPort(c.HTTP.Listen)
	if err != nil {
		return "http://" + c.HTTP.Listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// adminKey is an admin key that the configuration holds in clear, if there is one.
func adminKey(c *config.Config) string {
	for _, k := range c.HTTP.APIKeys {
		if key := k.Key.Reveal(); k.Role == "admin" && key != "" {
			return key
		}
	}
	return "none"
}

// verifyRunning has the running worker do it.
func verifyRunning(ctx context.Context, origin, key string, progress func(api.VerifyProgress)) (*api.Verified, error) {
	client := client{origin: origin, key: key, http: &http.Client{}}
	response, err := client.send(ctx, http.MethodPost, "/v1/verify", nil, nil, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("a worker has the state, and does not verify: %w", err)
	}
	defer response.Body.Close()
	for lines := json.NewDecoder(response.Body); ; {
		var line api.VerifyLine
		switch err := lines.Decode(&line); {
		case err != nil:
			return nil, fmt.Errorf("the worker's answer broke off: %w", err)
		case line.Error != nil:
			return nil, errors.New(line.Error.Message)
		case line.Result != nil:
			return line.Result, nil
		case line.Progress != nil:
			progress(*line.Progress)
		}
	}
}

// verifyProgress shows progress in place on a terminal and as log lines elsewhere.
func verifyProgress(out io.Writer, log *slog.Logger) func(api.VerifyProgress) {
	const every = 5 * time.Second
	last, step := time.Time{}, ""
	terminal := isTerminal(out)
	return func(p api.VerifyProgress) {
		const often = 100 * time.Millisecond
		if quiet := time.Since(last); p.Step == step && (quiet < often || !terminal && quiet < every) {
			return
		}
		step, last = p.Step, time.Now()
		text := map[string]string{
			"snapshot": "waiting for a snapshot", "users": fmt.Sprintf("%d of about %d users", p.Users, p.Total), "history": "reading the history",
		}[p.Step]
		if terminal {
			fmt.Fprintf(out, "\r\x1b[K%s\r", text)
			return
		}
		log.Info("verify: " + text)
	}
}

func printVerified(out io.Writer, v *api.Verified) error {
	history := "not compared with ClickHouse"
	if v.History != nil {
		history = fmt.Sprintf("%d compared with ClickHouse", *v.History)
	}
	fmt.Fprintf(out, "verified %d users and %d memberships at %s, %s, in %s\n", v.Users, v.Memberships, v.Position, history, time.Duration(v.TookMS)*time.Millisecond)
	for _, note := range v.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	if v.Differences == 0 {
		_, err := fmt.Fprintln(out, "no differences")
		return err
	}
	kinds := slices.Sorted(maps.Keys(v.Kinds))
	fmt.Fprintf(out, "%d differences:", v.Differences)
	for _, kind := range kinds {
		fmt.Fprintf(out, " %d %s", v.Kinds[kind], kind)
	}
	fmt.Fprintln(out)
	rows := [][]string{{"KIND", "USER", "AUDIENCE", "TENANT", "WANT", "HAVE"}}
	for _, f := range v.Found {
		rows = append(rows, []string{f.Kind, f.User, f.Audience, f.Tenant, f.Want, f.Have})
	}
	if err := table(out, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "`muster rebuild -c FILE` mends the state and publishes what differs")
	return err
}
