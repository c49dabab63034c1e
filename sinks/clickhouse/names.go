package clickhouse

import "strings"

// names are the parts of the SQL that depend on the options. They fill the templates of the migrations.
type names struct {
	Database  string // quoted
	OnCluster string // " ON CLUSTER `name`", or ""
	cluster   bool
}

func newNames(o Options) names {
	n := names{Database: quote(o.Database), cluster: o.Cluster != ""}
	if n.cluster {
		n.OnCluster = " ON CLUSTER " + quote(o.Cluster)
	}
	return n
}

// Engine returns the table engine, Replicated on a cluster. Its path and replica name are left to the server's
// default_replica_path and default_replica_name, which hold the table's UUID and the macros {shard} and {replica}.
func (n names) Engine(engine string) string {
	if n.cluster {
		return "Replicated" + engine
	}
	return engine
}

// table returns the qualified name of one of our tables or views.
func (n names) table(name string) string { return n.Database + "." + name }

// quote returns a name as an identifier of ClickHouse.
func quote(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}
