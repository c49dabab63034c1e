//go:build noengine

package chdb

import "errors"

// Load says that this program cannot load the engine. Being able to makes a program depend on the system's C library,
// which an image made for production need not have.
func Load(string) (*Library, error) {
	return nil, errors.New("this program was built without the embedded ClickHouse engine (build tag noengine): use a build without the tag, or point clickhouse.addr at a server")
}
