package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/connectors/api"
)

// memberCommand is what the commands on members share.
type memberCommand struct {
	service
	asJSON bool
}

func newMember() *cobra.Command {
	c := &cobra.Command{
		Use:     "member",
		Aliases: []string{"members"},
		Short:   "Members of static audiences: add, remove, list, import, export",
		Long: `Members of static audiences, through the API of a running worker. A member is a user, or a user with a tenant; a user
that does not exist yet is recorded as missing and enters when it appears.

` + serviceDocs,
		Example: `  muster member add beta u_1 u_2 --tenant acme
  muster member import beta.csv --audience beta --map "Email=email,ID=id,Org=tenant_id"
  muster member list beta --json`,
	}
	c.AddCommand(newMemberAdd(), newMemberRemove(), newMemberList(), newMemberImport(), newMemberExport())
	return c
}

func newMemberCommand() *memberCommand { return &memberCommand{service: service{remote: true}} }

// flags adds what all of them have; their first argument is an audience.
func (m *memberCommand) flags(c *cobra.Command) {
	m.service.flags(c)
	_ = c.Flags().MarkHidden("environment") // a worker serves one
	c.Flags().BoolVar(&m.asJSON, "json", false, "print JSON")
	c.ValidArgsFunction = func(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return m.completeAudiences(c, args, prefix)
	}
}

// run opens the service for the work and closes it after.
func (m *memberCommand) run(c *cobra.Command, work func(context.Context, *client) error) error {
	client, err := m.open(c)
	if err != nil {
		return err
	}
	return errors.Join(work(c.Context(), client), client.close())
}

func membersPath(audience string) string {
	return "/v1/audiences/" + url.PathEscape(audience) + "/members"
}

// writeBatch is how many members one request carries.
const writeBatch = 1_000

// memberWritten is what adding and removing print as JSON.
type memberWritten struct {
	Audience string `json:"audience"`
	Sent     int    `json:"sent"`
}

// write sends members in batches.
func (m *memberCommand) write(c *cobra.Command, method string, query url.Values, audience, tenant string, users []string, done string) error {
	return m.run(c, func(ctx context.Context, client *client) error {
		for batch := range slices.Chunk(users, writeBatch) {
			if err := client.do(ctx, method, membersPath(audience), query, map[string]any{"members": asMembers(batch, tenant)}, nil); err != nil {
				return err
			}
		}
		if m.asJSON {
			return printJSON(c.OutOrStdout(), memberWritten{audience, len(users)})
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s %s\n", plural(len(users), "member"), done, audience)
		return err
	})
}

func asMembers(users []string, tenant string) []map[string]any {
	members := make([]map[string]any, len(users))
	for i, id := range users {
		members[i] = map[string]any{"user": map[string]string{"id": id}}
		if tenant != "" {
			members[i]["tenant"] = tenant
		}
	}
	return members
}

// usersOf is the users of the arguments; - stands for the lines of standard input.
func usersOf(c *cobra.Command, args []string) ([]string, error) {
	if len(args) != 1 || args[0] != "-" {
		return args, nil
	}
	text, err := io.ReadAll(c.InOrStdin())
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	var users []string
	for line := range strings.Lines(string(text)) {
		if id := strings.TrimSpace(line); id != "" {
			users = append(users, id)
		}
	}
	if len(users) == 0 {
		return nil, usagef("standard input names no users")
	}
	return users, nil
}

func newMemberAdd() *cobra.Command {
	m := newMemberCommand()
	var tenant string
	var create bool
	c := &cobra.Command{
		Use:   "add AUDIENCE USER...",
		Short: "Add users to a static audience",
		Long:  "Add users to a static audience, by id. One that is there already stays as it is. With - the ids are the lines of standard input.",
		Example: `  muster member add beta u_1 u_2
  muster member add beta u_1 --tenant acme --create
  psql -Atc "SELECT id FROM users WHERE beta" | muster member add beta -`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			users, err := usersOf(c, args[1:])
			if err != nil {
				return err
			}
			query := url.Values{}
			if create {
				query.Set("create_audience", "true")
			}
			return m.write(c, http.MethodPost, query, args[0], tenant, users, "recorded in")
		},
	}
	m.flags(c)
	c.Flags().StringVar(&tenant, "tenant", "", "the tenant they are members for (default: none)")
	c.Flags().BoolVar(&create, "create", false, "make the audience, static, when there is none")
	return c
}

func newMemberRemove() *cobra.Command {
	m := newMemberCommand()
	var tenant string
	c := &cobra.Command{
		Use:     "remove AUDIENCE USER...",
		Aliases: []string{"rm"},
		Short:   "Remove users from a static audience",
		Long: `Remove users from a static audience, by id: their membership with the tenant given, or the one without. One that is not
there is no change. With - the ids are the lines of standard input.`,
		Example: "  muster member remove beta u_1 u_2\n  muster member remove beta u_1 --tenant acme",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			users, err := usersOf(c, args[1:])
			if err != nil {
				return err
			}
			return m.write(c, http.MethodDelete, nil, args[0], tenant, users, "removed from")
		},
	}
	m.flags(c)
	c.Flags().StringVar(&tenant, "tenant", "", "the tenant of the membership (default: none)")
	return c
}

func newMemberList() *cobra.Command {
	m := newMemberCommand()
	var missing bool
	var limit int
	c := &cobra.Command{
		Use:     "list AUDIENCE",
		Aliases: []string{"ls"},
		Short:   "List the members of an audience, static or dynamic",
		Example: "  muster member list beta\n  muster member list beta --missing --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if limit < 0 {
				return usagef("--limit is not negative")
			}
			return m.run(c, func(ctx context.Context, client *client) error {
				list := []api.AudienceMember{}
				more := false
				err := all(ctx, client, membersPath(args[0]), url.Values{}, func(a *api.AudienceMember) bool {
					if missing && !a.Missing {
						return true
					}
					if more = limit > 0 && len(list) == limit; more {
						return false
					}
					list = append(list, *a)
					return true
				})
				if err != nil {
					return err
				}
				if m.asJSON {
					return printJSON(c.OutOrStdout(), list)
				}
				return printMembers(c, args[0], list, more)
			})
		},
	}
	m.flags(c)
	c.Flags().BoolVar(&missing, "missing", false, "only those whose user does not exist")
	c.Flags().IntVarP(&limit, "limit", "n", 0, "members at most (default: all)")
	return c
}

func printMembers(c *cobra.Command, audience string, list []api.AudienceMember, more bool) error {
	rows := [][]string{{"USER", "TENANT", "ADDED", "STATE"}}
	for i := range list {
		tenant, state := "-", "member"
		if list[i].Tenant != nil {
			tenant = *list[i].Tenant
		}
		if list[i].Missing {
			state = "missing"
		}
		rows = append(rows, []string{list[i].UserID, tenant, list[i].AddedAt, state})
	}
	if err := table(c.OutOrStdout(), rows); err != nil {
		return err
	}
	note := plural(len(list), "member") + " of " + audience
	if more {
		note += ", and there are more"
	}
	_, err := fmt.Fprintf(c.ErrOrStderr(), "\n%s\n", note)
	return err
}
