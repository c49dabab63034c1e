package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage marks errors of how a command was called.
var errUsage = errors.New("usage")

// errReported ends a command with exit code 1 when it has already printed why.
var errReported = errors.New("reported")

// usagef is an error of how the command was called.
func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}

// Main runs the command line and returns the exit code.
func Main(args []string) int {
	ctx, stop := signalled()
	defer stop()
	return execute(ctx, args, os.Stdout, os.Stderr)
}

// execute runs one command and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case isUsage(err):
		fmt.Fprintf(stderr, "muster: %s\nRun `muster --help`, or the command with --help.\n", strings.TrimPrefix(err.Error(), "usage: "))
		return exitUsage
	}
	fmt.Fprintf(stderr, "muster: %v\n", err)
	return exitFailed
}

// isUsage recognises the errors of our own checks and of cobra's parsing.
func isUsage(err error) bool {
	if errors.Is(err, errUsage) {
		return true
	}
	for _, prefix := range []string{"unknown command", "unknown flag", "unknown shorthand", "required flag", "accepts ", "requires ", "invalid argument", "flag needs an argument"} {
		if strings.HasPrefix(err.Error(), prefix) {
			return true
		}
	}
	return false
}

// signalled returns a context that the first SIGINT or SIGTERM ends; the second ends the process at once.
func signalled() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		<-signals
		os.Exit(exitFailed)
	}()
	return ctx, func() {
		cancel()
		signal.Stop(signals)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "muster",
		Short: "Exact audience membership, from Postgres to Kafka and ClickHouse",
		Long: `Muster streams user changes out of Postgres by logical replication, keeps every audience's membership exact,
publishes each entry and exit to Kafka, and records the whole membership history in ClickHouse.

  muster demo                  see all of it at work on this machine
  muster check -c muster.yaml  what is missing to run against your own database
  muster run -c muster.yaml    run the worker`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRun(), newCheck(), newAudience(), newMember(), newPreview(), newExplain(), newHistory(), newVerify(), newRebuild(), newDemo(), newLocal(), newVersion())
	strict(root)
	return root
}
