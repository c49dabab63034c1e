package nemesis

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"muster/deploy/local/engine"
	"muster/pipeline/app/command"
)

// workerEnv marks a run of the test binary that is the worker: `muster`, with the same arguments.
const workerEnv = "MUSTER_NEMESIS_WORKER"

func TestMain(m *testing.M) {
	engine.RunChild()
	if os.Getenv(workerEnv) != "" {
		takeRefusals()
		os.Exit(command.Main(os.Args[1:]))
	}
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
