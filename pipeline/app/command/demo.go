package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/sourcegraph/conc/pool"
	"github.com/spf13/cobra"

	"muster/config"
	"muster/deploy/local"
	"muster/deploy/local/sample"
	"muster/pipeline"
	"muster/pipeline/app"
)

// demoOptions are the flags of `muster demo`.
type demoOptions struct {
	For   time.Duration
	Users int
	Rate  float64
	Quiet bool
	JSON  bool
}

func newDemo() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "See all of it at work on this machine, with nothing else installed",
		Long: `Start a throwaway Postgres, an embedded Kafka broker, an embedded ClickHouse engine, sample users and audiences, a stream
of changes and the worker. Events are printed as they arrive in Kafka. Ctrl-C ends it and leaves nothing behind.

The worker is the one of muster run: it speaks the real wire protocols to the services on this machine.
With --json the last line of stdout is a summary:
  {"changes", "events", "kafka_events", "clickhouse_rows", "p50_ms", "p99_ms", ...}
where p50 and p99 are the milliseconds from the commit in Postgres to Kafka's acknowledgement.`,
		Example: "  muster demo\n  muster demo --for 30s --json\n  muster demo --users 100000 --rate 2000 --quiet",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Users < 0 || o.Rate < 0 || o.For < 0 {
				return usagef("--users, --rate and --for cannot be negative")
			}
			return demo(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.DurationVar(&o.For, "for", 0, "end after this long, such as 30s (default: on Ctrl-C)")
	f.IntVar(&o.Users, "users", 2000, "sample users")
	f.Float64Var(&o.Rate, "rate", 20, "changes a second; 0 is as many as possible")
	f.BoolVar(&o.Quiet, "quiet", false, "do not print events")
	f.BoolVar(&o.JSON, "json", false, "print events as JSON, and a summary as the last line")
	return c
}

// demo runs the whole pipeline. When it is interrupted it still ends in order, with a summary.
func demo(ctx context.Context, o demoOptions, out, messages io.Writer) (err error) {
	say := func(format string, args ...any) { fmt.Fprintf(messages, format+"\n", args...) }
	began := time.Now()
	say("Starting Postgres, Kafka and ClickHouse on this machine ...")
	stack, err := local.Up(ctx, local.Options{Users: o.Users, Seed: 1, Log: func(line string) { say("  %s", line) }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Down()) }()
	say("Ready in %.1f s: Postgres %s with %d users, a Kafka broker, a ClickHouse engine.", time.Since(began).Seconds(), stack.Postgres.Version(), o.Users)

	worker, latency, closeLog, err := demoWorker(stack)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	return runDemo(ctx, o, stack, worker, latency, out, messages)
}

// demoWorker builds the worker of the demo; its log goes to a file, since the terminal belongs to the events.
func demoWorker(stack *local.Stack) (*app.Worker, *latencies, func() error, error) {
	cfg, err := config.Load(stack.Info().Config, os.Environ())
	if err != nil {
		return nil, nil, nil, err
	}
	file, err := os.Create(filepath.Join(stack.Dir(), "worker.log"))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("log of the worker: %w", err)
	}
	latency := new(latencies)
	worker, err := app.New(cfg, logger(cfg.Log, file), build(), latency)
	if err != nil {
		return nil, nil, nil, errors.Join(err, file.Close())
	}
	return worker, latency, file.Close, nil
}

func runDemo(ctx context.Context, o demoOptions, stack *local.Stack, worker *app.Worker, latency *latencies, out, messages io.Writer) error {
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	printer := newPrinter(out, o)
	watch := newWatch(stack.Info().Kafka, printer.event)

	parts := pool.New().WithErrors()
	ended := make(chan struct{})
	parts.Go(func() error { defer close(ended); return worker.Run(working) })
	parts.Go(func() error { return watch.run(watching) })

	err := awaitSnapshot(ctx, worker, ended)
	load := sample.NewLoad(stack.Info().Postgres, sample.LoadOptions{Rate: o.Rate, Seed: 1})
	if err == nil {
		fmt.Fprintf(messages, "\nThe worker runs. In another terminal:\n\n%s\nEvents, as they arrive in Kafka%s:\n\n", connections(stack), untilWhen(o))
		printer.begin()
		err = runLoad(ctx, o, load, ended)
	}
	stopWorking()
	<-ended
	summary := newSummary(load.Stats(), latency)
	if err == nil {
		err = summary.settle(watch, stack.Info())
	}
	stopWatching()
	if err = errors.Join(err, parts.Wait()); err != nil {
		return err
	}
	printer.end()
	if o.JSON {
		err = json.NewEncoder(out).Encode(summary)
	} else {
		_, err = io.WriteString(out, summary.String())
	}
	return errors.Join(err, summary.verdict())
}

func untilWhen(o demoOptions) string {
	if o.For > 0 {
		return fmt.Sprintf(", for %s", o.For)
	}
	return ", until Ctrl-C"
}

// awaitSnapshot waits until the worker streams. It returns nil early when ctx ends.
func awaitSnapshot(ctx context.Context, worker *app.Worker, ended <-chan struct{}) error {
	for ticker := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-ended:
			return errors.New("the worker ended")
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if worker.Status().Phase == pipeline.Streaming {
				ticker.Stop()
				return nil
			}
		}
	}
}

// runLoad changes users until the demo's time is over, or the worker ends.
func runLoad(ctx context.Context, o demoOptions, load *sample.Load, ended <-chan struct{}) error {
	if o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- load.Run(ctx) }()
	select {
	case err := <-done:
		if ctx.Err() != nil {
			return nil
		}
		return err
	case <-ended:
		cancel()
		<-done
		return errors.New("the worker ended")
	}
}
