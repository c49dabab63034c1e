package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster/evaluator"
	"muster/pipeline/app"
	"muster/sinks/clickhouse"
)

// historyCommand is what the commands on history share.
type historyCommand struct {
	config string
	asJSON bool
	none   string // what is said instead of an empty table
}

func newHistory() *cobra.Command {
	c := &cobra.Command{
		Use:   "history",
		Short: "What happened: a user's timeline, an audience's members at any time, who came and went",
		Long: `What happened, from the record in ClickHouse that the configuration names. An instant is RFC 3339, or a date (its UTC
midnight), or how long ago: 90m, 36h, 7d. With --json each row is a JSON object on a line of its own.`,
		Example: "  muster history user u_42 -c muster.yaml\n  muster history audience trial-ending --at 2026-01-31 -c muster.yaml\n  muster history diff trial-ending --from 7d --to 1d -c muster.yaml",
	}
	c.AddCommand(newHistoryUser(), newHistoryAudience(), newHistoryDiff())
	return c
}

func (h *historyCommand) flags(c *cobra.Command) {
	configFlag(c, &h.config)
	c.Flags().BoolVar(&h.asJSON, "json", false, "print JSON, a row a line")
}

// run opens the history for the work.
func (h *historyCommand) run(c *cobra.Command, work func(context.Context, *clickhouse.History) error) error {
	cfg, err := configured(h.config)
	if err != nil {
		return err
	}
	if !cfg.ClickHouse.Enabled {
		return errors.New("clickhouse.enabled is false in this configuration, so there is no history")
	}
	o, err := app.ClickHouseOptions(cfg, logger(cfg.Log, c.ErrOrStderr()))
	if err != nil {
		return err
	}
	history, err := clickhouse.OpenHistory(o)
	if err != nil {
		return err
	}
	return errors.Join(work(c.Context(), history), history.Close())
}

func newHistoryUser() *cobra.Command {
	var h historyCommand
	c := &cobra.Command{
		Use:     "user ID",
		Short:   "All entries and exits of a user, in the order in which they happened",
		Example: "  muster history user u_42 -c muster.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			h.none = fmt.Sprintf("nothing is on record of user %q", args[0])
			return h.run(c, func(ctx context.Context, history *clickhouse.History) error {
				return printRows(&h, c.OutOrStdout(), history.User(ctx, args[0]),
					[]string{"WHEN", "WHAT", "AUDIENCE", "TENANT", "CAUSE", "TRIGGER", "VERSION", "ENTRY"},
					func(t *clickhouse.Transition) []string {
						what := map[string]string{"audience.entered": "entered", "audience.exited": "exited"}[t.Type]
						return []string{moment(t.OccurredAt), what, t.Audience, dash(t.Tenant), t.Cause, strconv.FormatBool(t.Trigger),
							strconv.FormatUint(uint64(t.Version), 10), strconv.FormatUint(t.EntryCount, 10)}
					})
			})
		},
	}
	h.flags(c)
	return c
}

func newHistoryAudience() *cobra.Command {
	var h historyCommand
	var at string
	c := &cobra.Command{
		Use:     "audience KEY",
		Short:   "The members of an audience, now or at an instant",
		Example: "  muster history audience trial-ending -c muster.yaml\n  muster history audience trial-ending --at 2026-01-31T12:00:00Z -c muster.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !evaluator.IsKey(args[0]) {
				return usagef("%q is no key of an audience", args[0])
			}
			instant, err := parseInstant("at", at)
			if err != nil {
				return err
			}
			h.none = fmt.Sprintf("nobody is on record as a member of %q then", args[0])
			if at == "" {
				h.none = fmt.Sprintf("nobody is on record as a member of %q", args[0])
			}
			return h.run(c, func(ctx context.Context, history *clickhouse.History) error {
				rows := history.Members(ctx, args[0])
				if at != "" {
					rows = history.MembersAt(ctx, args[0], instant)
				}
				return printRows(&h, c.OutOrStdout(), rows, []string{"USER", "TENANT", "SINCE", "ENTRY"}, func(m *clickhouse.Member) []string {
					return []string{m.User, dash(m.Tenant), moment(m.EnteredAt), strconv.FormatUint(m.EntryCount, 10)}
				})
			})
		},
	}
	h.flags(c)
	c.Flags().StringVar(&at, "at", "", "the instant; default: now")
	return c
}

func newHistoryDiff() *cobra.Command {
	var h historyCommand
	var from, to string
	c := &cobra.Command{
		Use:   "diff KEY --from T [--to T]",
		Short: "Who is in an audience at one instant and not at another",
		Long: `Who came, that is is in at the later instant and was not at the earlier one, and who went. Who came and went again in
between is in neither list.`,
		Example: "  muster history diff trial-ending --from 2026-01-01 --to 2026-02-01 -c muster.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !evaluator.IsKey(args[0]) {
				return usagef("%q is no key of an audience", args[0])
			}
			if from == "" {
				return usagef("say --from when")
			}
			begin, err := parseInstant("from", from)
			if err != nil {
				return err
			}
			end, err := parseInstant("to", to)
			if err != nil {
				return err
			}
			if end.Before(begin) {
				return usagef("--to lies before --from")
			}
			h.none = fmt.Sprintf("nobody came to %q or went between the two", args[0])
			return h.run(c, func(ctx context.Context, history *clickhouse.History) error {
				return printRows(&h, c.OutOrStdout(), history.Diff(ctx, args[0], begin, end), []string{"", "USER", "TENANT", "AT"}, func(d *clickhouse.Difference) []string {
					sign := "-"
					if d.Came {
						sign = "+"
					}
					return []string{sign, d.User, dash(d.Tenant), moment(d.At)}
				})
			})
		},
	}
	h.flags(c)
	c.Flags().StringVar(&from, "from", "", "the earlier instant")
	c.Flags().StringVar(&to, "to", "", "the later instant; default: now")
	return c
}

// printRows prints rows as they arrive: as JSON, a line each, or in columns that are as wide as the first rows need.
func printRows[T any](h *historyCommand, out io.Writer, rows iter.Seq2[T, error], heading []string, columns func(*T) []string) error {
	if h.asJSON {
		for row, err := range rows {
			if err == nil {
				err = json.NewEncoder(out).Encode(row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	const together = 1000 // rows laid out as one table; bounds what is held of a long answer
	page, found := [][]string{heading}, false
	for row, err := range rows {
		if err != nil {
			return err
		}
		found = true
		if page = append(page, columns(&row)); len(page) > together {
			if err := table(out, page); err != nil {
				return err
			}
			page = page[:0]
		}
	}
	if !found {
		_, err := fmt.Fprintln(out, h.none)
		return err
	}
	return table(out, page)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }

func dash(s string) string { return first(s, "-") }

// parseInstant reads an instant as people write it; "" is now.
func parseInstant(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	const day = 24 * time.Hour
	if n, err := strconv.ParseUint(text[:len(text)-1], 10, 16); err == nil && text[len(text)-1] == 'd' {
		return time.Now().Add(-time.Duration(n) * day), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return time.Now().Add(-d), nil
	}
	return time.Time{}, usagef("--%s %q is no instant; write 2026-01-31T12:00:00Z, 2026-01-31, or how long ago: 36h, 7d", flag, text)
}
