package compiled

import (
	"math/rand/v2"
	"testing"
)

// TestWords holds the loops over words against the operators, at every length that takes another way through them.
func TestWords(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		name string
		into func(dst, src []uint64)
		of   func(a, b uint64) uint64
	}{
		{"or", orInto, func(a, b uint64) uint64 { return a | b }},
		{"and", andInto, func(a, b uint64) uint64 { return a & b }},
		{"clear", clearFrom, func(a, b uint64) uint64 { return a &^ b }},
	} {
		for n := range 40 {
			dst, src, want := make([]uint64, n+1), make([]uint64, n+1), make([]uint64, n+1)
			for i := range dst {
				dst[i], src[i] = r.Uint64(), r.Uint64()
				want[i] = tt.of(dst[i], src[i])
			}
			want[n] = dst[n] // lies behind
			tt.into(dst[:n], src[:n])
			for i := range want {
				if dst[i] != want[i] {
					t.Errorf("%s of %d words: word %d is %x, want %x", tt.name, n, i, dst[i], want[i])
				}
			}
		}
	}
}
