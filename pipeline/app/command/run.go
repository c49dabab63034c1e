package command

import (
	"os"
	"runtime"

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
			spareProcessors()
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

// spareProcessors gives Go's scheduler twice as many processors as there are. While every one is busy judging or compacting,
// Go asks the network for news only each 10 ms, and who asks a question waits for that many times over; what is spare
// looks at once. The evaluator's workers are as many as there are cores all the same: the configuration has counted them.
func spareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}
