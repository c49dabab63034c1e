package pgoutput

import "unsafe"

const chunkSize = 64 << 10

// arena hands out pieces of large chunks, so that a row costs no allocation of its own. A piece is never handed out
// twice: a chunk is left to the garbage collector, which frees it with the last piece in use.
type arena struct {
	free []byte
}

// reserve returns an empty slice with room for n bytes. What is used of it must be claimed before the next call.
func (a *arena) reserve(n int) []byte {
	if n > len(a.free) {
		a.free = make([]byte, max(n, chunkSize))
	}
	return a.free[:0:n]
}

// claim keeps used, which must be an appended-to result of the last reserve that did not outgrow it.
func (a *arena) claim(used []byte) []byte {
	a.free = a.free[len(used):]
	return used[:len(used):len(used)]
}

// text copies b into the arena and returns it as a string. Nothing writes to a claimed piece, so the string is immutable.
func (a *arena) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	kept := a.claim(append(a.reserve(len(b)), b...))
	return unsafe.String(&kept[0], len(kept))
}
