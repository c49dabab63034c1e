package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"muster/deploy/local/loopback"
)

// Info is how to reach the services: what `muster local up --json` prints.
type Info struct {
	Postgres   string         `json:"postgres"` // connection string
	Kafka      []string       `json:"kafka"`    // host:port
	ClickHouse ClickHouseInfo `json:"clickhouse"`
	Config     string         `json:"config"` // path of the muster.yaml that points at all this
	API        string         `json:"api"`    // origin at which `muster run -c Config` will serve HTTP
}

// ClickHouseInfo holds host:port of the native protocol and of HTTP.
type ClickHouseInfo struct {
	Addr string `json:"addr"`
	HTTP string `json:"http"`
}

// ports of a stack, 0 being one yet to be chosen. A folder's stack comes up on the same ones each time, so that its
// muster.yaml, and whatever else was pointed at it, goes on being right.
type ports struct{ Postgres, Kafka, ClickHouse, ClickHouseHTTP, API int }

// readPorts takes the ports from the Info that an earlier stack left in the file.
func readPorts(path string) (ports, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ports{}, nil
	}
	if err != nil {
		return ports{}, err
	}
	var info Info
	if err := json.Unmarshal(text, &info); err != nil {
		return ports{}, fmt.Errorf("read %s (remove it to have new ports chosen): %w", path, err)
	}
	p, err := info.ports()
	if err != nil {
		return ports{}, fmt.Errorf("read %s (remove it to have new ports chosen): %w", path, err)
	}
	return p, nil
}

func (i Info) ports() (p ports, err error) {
	if len(i.Kafka) != 1 {
		return p, fmt.Errorf("%d Kafka brokers, expected one", len(i.Kafka))
	}
	dsn, dsnErr := url.Parse(i.Postgres)
	api, apiErr := url.Parse(i.API)
	if err := errors.Join(dsnErr, apiErr); err != nil {
		return p, err
	}
	for _, address := range []struct {
		hostport string
		port     *int
	}{
		{dsn.Host, &p.Postgres}, {i.Kafka[0], &p.Kafka}, {i.ClickHouse.Addr, &p.ClickHouse},
		{i.ClickHouse.HTTP, &p.ClickHouseHTTP}, {api.Host, &p.API},
	} {
		_, port, err := net.SplitHostPort(address.hostport)
		if err == nil {
			*address.port, err = strconv.Atoi(port)
		}
		if err != nil {
			return p, fmt.Errorf("address %q: %w", address.hostport, err)
		}
	}
	return p, nil
}

// describe is the Info of the services that now run.
func (s *Stack) describe(p ports) (Info, error) {
	if p.API == 0 {
		var err error
		if p.API, err = loopback.FreePort(); err != nil {
			return Info{}, err
		}
	}
	return Info{
		Postgres:   s.Postgres.DSN(),
		Kafka:      []string{s.Kafka.Addr()},
		ClickHouse: ClickHouseInfo{Addr: s.ClickHouse.Addr(), HTTP: s.ClickHouse.HTTPAddr()},
		Config:     filepath.Join(s.dir, configName),
		API:        "http://" + loopback.Address(p.API),
	}, nil
}
