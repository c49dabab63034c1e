// Package local is the local stack: Postgres, Kafka and ClickHouse on this machine with nothing installed, for the demo,
// `muster local up` and end-to-end tests. The worker does not know it: it is pointed at the services by a plain muster.yaml and
// reaches them through the same clients as anywhere.
//
//	Up --+-- postgres   a server of its own, sample users in it
//	     +-- kafka      a broker in this process
//	     +-- engine     the ClickHouse engine, a child process
//	     +-- audiences/, beta-testers.csv, muster.yaml, stack.json
//
// What it guarantees:
//   - Everything listens on loopback only.
//   - A folder that is named (Options.Dir) is used again: same data, same addresses, and files that were edited stay.
//   - A folder that is not named is a temporary one. Down removes it, and so does a watchdog when this process is
//     killed; no process is left either.
//   - When Up fails, or its context ends, everything it started is gone before it returns.
//
// A program that calls Up must call engine.RunChild first thing in main, a test in TestMain.
package local
