package compiled

// The loops over words are most of what is left to do where nothing flips. Every amd64 has the instructions; the compiler
// does not use them.

//go:noescape
func or(dst, src *uint64, n int)

//go:noescape
func and(dst, src *uint64, n int)

//go:noescape
func andNot(dst, src *uint64, n int)
