package compiled

// orInto adds the bits of src to dst, which is as long.
func orInto(dst, src []uint64) {
	if src = src[:len(dst)]; len(dst) < vectorized {
		for i := range dst {
			dst[i] |= src[i]
		}
		return
	}
	or(&dst[0], &src[0], len(dst))
}

// andInto leaves of dst the bits that src has.
func andInto(dst, src []uint64) {
	if src = src[:len(dst)]; len(dst) < vectorized {
		for i := range dst {
			dst[i] &= src[i]
		}
		return
	}
	and(&dst[0], &src[0], len(dst))
}

// clearFrom takes the bits of src from dst.
func clearFrom(dst, src []uint64) {
	if src = src[:len(dst)]; len(dst) < vectorized {
		for i := range dst {
			dst[i] &^= src[i]
		}
		return
	}
	andNot(&dst[0], &src[0], len(dst))
}

// vectorized is from how many words on a call is worth it.
const vectorized = 4
