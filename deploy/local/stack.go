package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/sourcegraph/conc/pool"

	"muster/deploy/local/engine"
	"muster/deploy/local/kafka"
	"muster/deploy/local/postgres"
	"muster/deploy/local/sample"
	"muster/deploy/local/watchdog"
)

// Options of a stack. The zero value is an empty users table in a temporary folder, on free ports.
type Options struct {
	// Dir keeps everything, and is made when absent. "" is a temporary folder that Down removes.
	Dir string
	// PostgresVersion is the major version wanted ("15", "17"), or "" for whatever is found first.
	PostgresVersion string
	// PostgresSettings are lines of postgresql.conf.
	PostgresSettings map[string]string
	// Users is how many sample users are made, unless the folder has a users table already.
	Users int
	// Seed of the sample users.
	Seed uint64
	// Log is told what takes long, one line at a time, from several goroutines. It may be nil.
	Log func(line string)
}

// Stack is the running services. Its fields are for tests, which stop and restart services one by one.
type Stack struct {
	Postgres   *postgres.Server
	Kafka      *kafka.Broker
	ClickHouse *engine.Server

	info      Info
	dir       string
	temporary bool
	guard     *watchdog.Watchdog
	log       *logs

	down sync.Once
	err  error
}

// Names in the stack's folder.
const (
	configName      = "muster.yaml"
	stackName       = "stack.json"
	audiencesName   = "audiences"
	betaTestersName = "beta-testers.csv"
	stateName       = "state"
)

// Up starts the services at the same time and returns when all of them can be used, sample data included. ctx bounds the
// start, downloads included, and not the life of the stack.
func Up(ctx context.Context, options Options) (*Stack, error) {
	if options.Log == nil {
		options.Log = func(string) {}
	}
	s := &Stack{}
	if err := s.up(ctx, options); err != nil {
		return nil, errors.Join(fmt.Errorf("start the local stack: %w", err), s.Down())
	}
	s.log.quiet()
	return s, nil
}

func (s *Stack) up(ctx context.Context, options Options) (err error) {
	if err := s.openDir(options.Dir); err != nil {
		return err
	}
	if s.log, err = openLogs(s.dir, options.Log); err != nil {
		return err
	}
	ports, err := readPorts(filepath.Join(s.dir, stackName))
	if err != nil {
		return err
	}
	starts := pool.New().WithContext(ctx).WithCancelOnError()
	starts.Go(func(ctx context.Context) error { return s.startPostgres(ctx, options, ports.Postgres) })
	starts.Go(func(ctx context.Context) error { return s.startClickHouse(ctx, ports) })
	starts.Go(func(context.Context) error { return s.startKafka(ports.Kafka) })
	if err := starts.Wait(); err != nil {
		return err
	}
	if s.info, err = s.describe(ports); err != nil {
		return err
	}
	return s.write(options)
}

func (s *Stack) openDir(dir string) (err error) {
	if dir == "" {
		s.temporary = true
		if s.dir, err = os.MkdirTemp("", "muster-local-"); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		s.guard, err = watchdog.Start(s.dir)
		return err
	}
	if s.dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	return os.MkdirAll(s.dir, 0o755)
}

// within is where a service keeps its data: in the stack's folder, or, when that is temporary, in a temporary one of its own,
// which the service itself knows how to get rid of and need not close with care.
func (s *Stack) within(name string) string {
	if s.temporary {
		return ""
	}
	return filepath.Join(s.dir, name)
}

func (s *Stack) startPostgres(ctx context.Context, options Options, port int) (err error) {
	s.Postgres, err = postgres.Start(ctx, postgres.Options{
		Version: options.PostgresVersion, Settings: options.PostgresSettings, Dir: s.within("postgres"), Port: port,
		Log: func(line string) { s.log.line("postgres: " + line) },
	})
	if err != nil {
		return err
	}
	return sample.Seed(ctx, s.Postgres.DSN(), options.Users, options.Seed)
}

func (s *Stack) startClickHouse(ctx context.Context, ports ports) (err error) {
	s.ClickHouse, err = engine.Start(ctx, engine.Options{
		Dir: s.within("clickhouse"), Port: ports.ClickHouse, HTTPPort: ports.ClickHouseHTTP, Log: s.log.clickhouse,
	})
	return err
}

// startKafka keeps records on disk in any case: kept in memory, a long demo's would be what this process mostly consists of.
func (s *Stack) startKafka(port int) (err error) {
	s.Kafka, err = kafka.Start(kafka.Options{Port: port, Dir: filepath.Join(s.dir, "kafka")})
	return err
}

// Dir is the stack's folder, the one of muster.yaml.
func (s *Stack) Dir() string { return s.dir }

// Info says how to reach everything.
func (s *Stack) Info() Info { return s.info }

// Down stops the services and removes a temporary folder. It may be called again and then returns the same error.
func (s *Stack) Down() error {
	s.down.Do(func() { s.err = s.takeDown() })
	return s.err
}

func (s *Stack) takeDown() error {
	stops := pool.New().WithErrors()
	if s.Postgres != nil {
		stops.Go(s.Postgres.Stop)
	}
	if s.ClickHouse != nil {
		stops.Go(s.ClickHouse.Stop)
	}
	if s.Kafka != nil {
		stops.Go(func() error { s.Kafka.Stop(); return nil })
	}
	faults := []error{stops.Wait()}
	if s.log != nil {
		faults = append(faults, s.log.close())
	}
	if s.temporary && s.dir != "" {
		faults = append(faults, os.RemoveAll(s.dir))
	}
	if s.guard != nil {
		s.guard.Release()
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("stop the local stack: %w", err)
	}
	return nil
}
