package command

import (
	"github.com/spf13/cobra"

	"muster/pipeline/app"
)

func newRun() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "run -c muster.yaml",
		Short: "Run the worker",
		Long: `Run the worker: take a first snapshot if there is no state yet, then stream changes until SIGTERM or SIGINT.
It then finishes what it has begun, saves, and exits 0. A second signal ends it at once; nothing is lost either way.`,
		Example: "  muster run -c muster.yaml",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configured(path)
			if err != nil {
				return err
			}
			log := logger(cfg.Log, c.ErrOrStderr())
			worker, err := app.New(cfg, log, build())
			if err != nil {
				return err
			}
			log.Info("muster starts", "version", build().Version, "environment", cfg.Environment, "postgres", cfg.Postgres.DSN,
				"slot", cfg.Postgres.Slot, "state", cfg.State.Dir)
			if err := worker.Run(c.Context()); err != nil {
				return err
			}
			log.Info("muster has stopped")
			return nil
		},
	}
	configFlag(c, &path)
	return c
}
