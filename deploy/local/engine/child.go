package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"muster/deploy/local/engine/chdb"
	"muster/deploy/local/engine/native"
	"muster/deploy/local/engine/session"
	"muster/deploy/local/engine/web"
	"muster/deploy/local/loopback"
)

// childEnv marks a process as the engine and holds its setup.
const childEnv = "MUSTER_CLICKHOUSE_ENGINE"

// stopOrder on standard input ends the child; the input's end alone means that the parent is gone.
const stopOrder = "stop"

// reportFile is the number of the file on which the child says how its start went.
const reportFile = 3

// memoryLimit is from where on the child's own part, which is copies of blocks on their way, collects harder.
const memoryLimit = 256 << 20

// setup is what a child is told.
type setup struct {
	Library, Dir   string
	Temporary      bool // the directory is to go when the parent is gone
	Port, HTTPPort int
}

// outcome is what a child answers.
type outcome struct {
	Error     string `json:",omitempty"` // "" when it serves
	PortTaken bool   `json:",omitempty"`
}

// ranChild is set in a process that called RunChild and is not a child. Without it, a child would run the program anew.
var ranChild bool

// RunChild is the engine's process if this is one, and then does not return. It belongs first in main and TestMain.
func RunChild() {
	told, isChild := os.LookupEnv(childEnv)
	if !isChild {
		ranChild = true
		return
	}
	logger := log.New(os.Stderr, "clickhouse engine: ", 0)
	report := os.NewFile(reportFile, "report")
	if err := serve(told, report, logger); err != nil {
		_ = json.NewEncoder(report).Encode(outcome{Error: err.Error(), PortTaken: errors.Is(err, syscall.EADDRINUSE)}) // nobody else to tell
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(told string, report io.WriteCloser, logger *log.Logger) error {
	orphaned := listen()
	debug.SetMemoryLimit(memoryLimit)
	var s setup
	if err := json.Unmarshal([]byte(told), &s); err != nil {
		return fmt.Errorf("%s is for the program's own use: %w", childEnv, err)
	}
	tcp, err := net.Listen("tcp", loopback.Address(s.Port))
	if err != nil {
		return err
	}
	http, err := net.Listen("tcp", loopback.Address(s.HTTPPort))
	if err != nil {
		return err
	}
	lib, err := chdb.Load(s.Library)
	if err != nil {
		return err
	}
	engine, err := session.Open(lib, s.Dir)
	if err != nil {
		return fmt.Errorf("%w (is another process using it?)", err)
	}
	tcpFront, httpFront := native.Serve(engine, tcp, logger), web.Serve(engine, http, logger)
	if err := json.NewEncoder(report).Encode(outcome{}); err != nil {
		return err
	}
	_ = report.Close() // it has said all
	gone := <-orphaned
	drain(logger, engine, tcpFront.Stop, httpFront.Stop)
	engine.Close()
	if gone && s.Temporary {
		return os.RemoveAll(s.Dir)
	}
	return nil
}

// drain stops the fronts, which waits for what runs: for a while as it is, then cancelled. What does not heed that either
// is cut off by the process's end.
func drain(logger *log.Logger, engine *session.Engine, stops ...func()) {
	end := time.AfterFunc(drainPatience, func() {
		logger.Printf("statements still ran %s after the order to stop", drainPatience)
		os.Exit(1)
	})
	defer end.Stop()
	drained, done := context.WithCancel(context.Background())
	var canceller, fronts sync.WaitGroup
	canceller.Go(func() {
		select {
		case <-drained.Done():
		case <-time.After(cancelPatience):
			engine.CancelAll(drained)
		}
	})
	for _, stop := range stops {
		fronts.Go(stop)
	}
	fronts.Wait()
	done()
	canceller.Wait()
}

// listen returns a channel that delivers once: false for an order to stop, true when the parent is gone.
func listen() <-chan bool {
	orphaned := make(chan bool, 2)
	// Those of the terminal are meant for the parent; and a line for the log must not end the process when the parent, who
	// reads it, is gone.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM) // these two goroutines live as long as the process
	go func() { <-terminated; orphaned <- true }()
	go func() {
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		orphaned <- line != stopOrder+"\n"
	}()
	return orphaned
}
