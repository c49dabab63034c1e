//go:build !amd64

package compiled

func orInto(dst, src []uint64)    { orWords(dst, src) }
func andInto(dst, src []uint64)   { andWords(dst, src) }
func clearFrom(dst, src []uint64) { clearWords(dst, src) }
