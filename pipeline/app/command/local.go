package command

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"muster/deploy/local"
)

func newLocal() *cobra.Command {
	c := &cobra.Command{Use: "local", Short: "Postgres, Kafka and ClickHouse on this machine, for trying Muster out"}
	c.AddCommand(newLocalUp())
	return c
}

func newLocalUp() *cobra.Command {
	var o local.Options
	var asJSON bool
	c := &cobra.Command{
		Use:   "up",
		Short: "Start the local services and write a muster.yaml that points at them",
		Long: `Start a throwaway Postgres with sample users, an embedded Kafka broker and an embedded ClickHouse engine, and write a
muster.yaml that points at them. They stay up until interrupted. With --dir everything is kept there and comes up
again on the same ports; without, it is gone afterwards.

--json prints one line when everything is ready:
  {"postgres": DSN, "kafka": ["host:port"], "clickhouse": {"addr": "host:port", "http": "host:port"}, "config": PATH, "api": URL}`,
		Example: "  muster local up --dir ./muster-local\n  muster run -c ./muster-local/muster.yaml",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			o.Log = func(line string) { fmt.Fprintln(c.ErrOrStderr(), line) }
			stack, err := local.Up(c.Context(), o)
			if err != nil {
				return err
			}
			defer func() {
				if downErr := stack.Down(); err == nil {
					err = downErr
				}
			}()
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(stack.Info())
			} else {
				err = printStack(c.OutOrStdout(), stack)
			}
			if err != nil {
				return err
			}
			<-c.Context().Done()
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.Dir, "dir", "", "folder that keeps everything (default: a temporary one)")
	f.IntVar(&o.Users, "users", 1000, "sample users")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of the sample users")
	f.StringVar(&o.PostgresVersion, "postgres", "", "major version of Postgres, such as 17 (default: the one that is found)")
	f.BoolVar(&asJSON, "json", false, "print one line of JSON when ready")
	return c
}

func printStack(out io.Writer, s *local.Stack) error {
	_, err := fmt.Fprintf(out, "\nThe local services are up until you press Ctrl-C.\n\n  worker      muster run -c %s\n%s", s.Info().Config, connections(s))
	return err
}
