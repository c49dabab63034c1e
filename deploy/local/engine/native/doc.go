// Package native serves the embedded engine under ClickHouse's native TCP protocol, as far as clients use it: the
// official Go driver and clickhouse-client find a server.
//
// A client's connection is a session of the engine, and it has one goroutine; while a query that returns rows runs,
// a second one listens for a cancellation. Supported are hello, ping, queries with settings and parameters, results,
// inserts, exceptions, cancellation and compressed blocks. Not supported, and refused with an exception, are external
// tables and what servers say to each other.
//
//	hello -> session
//	query -> Apply settings -> Rows:   header, data ..., progress, end of stream
//	                           Insert: header, <- data ..., progress, end of stream
//	                           Exec:   progress, end of stream
//
// It guarantees that bytes from outside cost neither the process nor more memory than the limits in limits.go.
package native
