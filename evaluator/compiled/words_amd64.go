package compiled

// vectorized is from how many words on a call is worth it. The loops over words are most of what is left to do where nothing
// flips. Every amd64 has the instructions; the compiler does not use them.
const vectorized = 4

func orInto(dst, src []uint64) {
	if src = src[:len(dst)]; len(dst) < vectorized {
		orWords(dst, src)
		return
	}
	or(&dst[0], &src[0], len(dst))
}

func andInto(dst, src []uint64) {
	if src = src[:len(dst)]; len(dst) < vectorized {
		andWords(dst, src)
		return
	}
	and(&dst[0], &src[0], len(dst))
}

func clearFrom(dst, src []uint64) {
	if src = src[:len(dst)]; len(dst) < vectorized {
		clearWords(dst, src)
		return
	}
	andNot(&dst[0], &src[0], len(dst))
}

//go:noescape
func or(dst, src *uint64, n int)

//go:noescape
func and(dst, src *uint64, n int)

//go:noescape
func andNot(dst, src *uint64, n int)
