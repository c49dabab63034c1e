// Package engine runs the real ClickHouse engine for the local stack and for tests, where no ClickHouse is installed: on
// loopback ports, under the native protocol and under HTTP, so that clients cannot tell it from a server of one's own.
//
// The engine is a shared library, fetched once (package fetch), and it runs in a child process: this program again, told
// by its environment to be the engine. So whatever happens in half a gigabyte of foreign code stays out of the caller,
// and a test can kill it in the middle of an insert. A program that calls Start must call RunChild first thing in main,
// a test in TestMain.
//
//	this process                        child
//	Start --- fetch, exec ------------> RunChild: load library, open directory, listen
//	      <-- ready, or why not -------
//	Addr, HTTPAddr                      native and web fronts -> sessions -> engine
//	Stop  --- "stop" -----------------> finish what runs, close, exit
//	Kill  --- SIGKILL ---------------->
//	(dies) -- end of file, SIGTERM ---> the same as Stop; a temporary directory goes too
//
// It guarantees that no child outlives its parent, and that after Stop or Kill the same directory can be opened again,
// at the same addresses, with all data of inserts that were answered.
//
// Packages below it: chdb binds the library, session runs statements with their settings, statement and block know where
// statements and data end, native and web are the fronts.
package engine
