//go:build !noengine

package chdb

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// Load binds the shared library at path. It is never done before somebody asks for the engine: the library is half a
// gigabyte, and a machine without it must still run everything else.
func Load(path string) (*Library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("load the ClickHouse engine: %w", err)
	}
	l := &Library{}
	for name, function := range l.functions() {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("load the ClickHouse engine: %s has no %s: it is another version than this program was made for: %w", path, name, err)
		}
		purego.RegisterFunc(function, symbol)
	}
	l.holdSignals(func() { l.keepSignals(0) })
	return l, nil
}
