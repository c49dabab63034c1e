// Package chdb binds the ClickHouse engine's shared library (libchdb 26.7.3 and its kin) without cgo and only when it is
// asked to.
//
// It guarantees that the memory of the engine never leaves the package (results are copied), that texts may hold any
// byte, and that Go's signal handlers stay in place. Sessions (Conn) run in parallel; each runs one statement at a time.
//
//	Load -> Library -> Connect -> Conn -> Query   any statement, its whole output
//	                                      Stream  SELECT, block by block (Rows)
//	                                      Insert  INSERT, its data piece by piece
//
// With the build tag noengine Load only says that the program was built without the engine, and nothing of the C library
// is linked.
package chdb
