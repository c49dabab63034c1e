package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Status of one prerequisite.
type Status string

const (
	OK    Status = "ok"
	Fails Status = "fails"
	Warns Status = "warns"
)

// CheckResult is one prerequisite, as `muster check` prints it.
type CheckResult struct {
	Name   string
	Status Status
	Detail string // what was found
	Repair string // what to do, "" if all is well
}

// Check looks at every prerequisite and changes nothing. What depends on one that fails is left out.
func (s *Sink) Check(ctx context.Context) []CheckResult {
	reached := s.checkServer(ctx)
	if reached.Status == Fails {
		return []CheckResult{reached}
	}
	results := []CheckResult{reached}
	for _, check := range []func(context.Context) (CheckResult, error){
		s.checkCluster, s.checkPrivileges, s.checkSchema, s.checkTTL,
	} {
		result, err := check(ctx)
		if err != nil {
			result.Status, result.Detail, result.Repair = Fails, err.Error(), s.repair(kindOf(err))
		}
		if result.Status != "" {
			results = append(results, result)
		}
	}
	return results
}

// The oldest server that has all the schema needs; older ones may do but nobody has tried.
const oldestMajor, oldestMinor = 24, 8

func (s *Sink) checkServer(ctx context.Context) CheckResult {
	result := CheckResult{Name: "clickhouse server"}
	server, err := s.conn.ServerVersion()
	if err == nil {
		err = s.conn.Ping(ctx)
	}
	if err != nil {
		result.Status, result.Detail = Fails, fmt.Sprintf("%s: %v", strings.Join(s.options.Addr, ", "), err)
		result.Repair = "start ClickHouse, or correct clickhouse.addr (the native port, 9000, or 9440 with tls, and not that of HTTP)"
		if kind := kindOf(err); kind.terminal() {
			result.Repair = s.repair(kind)
		}
		return result
	}
	version := server.Version
	result.Status, result.Detail = OK, fmt.Sprintf("version %d.%d.%d", version.Major, version.Minor, version.Patch)
	if version.Major < oldestMajor || version.Major == oldestMajor && version.Minor < oldestMinor {
		result.Status, result.Repair = Warns, fmt.Sprintf("upgrade to %d.%d or later", oldestMajor, oldestMinor)
	}
	return result
}

// checkCluster looks for what the sink relies on: that every replica has all the rows, so there is one shard.
func (s *Sink) checkCluster(ctx context.Context) (CheckResult, error) {
	result := CheckResult{Name: "clickhouse cluster"}
	if s.options.Cluster == "" {
		if len(s.options.Addr) > 1 {
			result.Status, result.Detail = Warns, "several addresses and no cluster: each server would have a part of the history"
			result.Repair = "set clickhouse.cluster, or name one server in clickhouse.addr"
		}
		return result, nil
	}
	var replicas, shards uint64
	err := s.conn.QueryRow(ctx, "SELECT count(), uniqExact(shard_num) FROM system.clusters WHERE cluster = {cluster:String}",
		parameters("cluster", s.options.Cluster)...).Scan(&replicas, &shards)
	switch {
	case err != nil:
		return result, err
	case replicas == 0:
		result.Status, result.Detail = Fails, fmt.Sprintf("the server knows no cluster %q", s.options.Cluster)
		result.Repair = "correct clickhouse.cluster (SELECT DISTINCT cluster FROM system.clusters)"
	case shards > 1:
		result.Status, result.Detail = Fails, fmt.Sprintf("cluster %q has %d shards; the history must be whole on each server", s.options.Cluster, shards)
		result.Repair = "define a cluster of one shard, with as many replicas as wanted, for the database of muster"
	default:
		result.Status, result.Detail = OK, fmt.Sprintf("%q, %d replicas", s.options.Cluster, replicas)
	}
	return result, nil
}

// checkPrivileges asks the server, which since 24.11 has a statement for it. One that has not says nothing here: a privilege
// that lacks shows when the worker starts, with the same repair.
func (s *Sink) checkPrivileges(ctx context.Context) (CheckResult, error) {
	result := CheckResult{Name: "clickhouse privileges"}
	exists, err := s.databaseExists(ctx)
	if err != nil {
		return result, err
	}
	needed := "CREATE TABLE, CREATE VIEW, ALTER TABLE, INSERT, SELECT"
	if !exists {
		needed = "CREATE DATABASE, " + needed
	}
	var granted uint8
	err = s.conn.QueryRow(ctx, "CHECK GRANT "+needed+" ON "+s.names.Database+".*").Scan(&granted)
	if unknownStatement(err) {
		return result, nil
	}
	if err != nil {
		return result, err
	}
	result.Status, result.Detail = OK, needed+" on "+s.names.Database
	if granted == 0 {
		result.Status, result.Detail = Fails, fmt.Sprintf("user %s lacks one of %s", s.options.Username, result.Detail)
		result.Repair = s.grant()
	}
	return result, nil
}

// unknownStatement reports that the server does not know the statement: by a syntax error, or, from the embedded engine of the local
// stack, which knows it but not as a query, by BAD_ARGUMENTS.
func unknownStatement(err error) bool {
	var exception *clickhouse.Exception
	return errors.As(err, &exception) && (exception.Code == 62 || exception.Code == 36)
}
