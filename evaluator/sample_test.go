package evaluator

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestSampleIsTheExactComparison(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		percent := rapid.SampledFrom([]string{"0", "100", "50", "12.5", "33.3333333333333333333333", "1e-18", "99.99999999999999999999", "1e-999"}).Draw(t, "percent")
		seed, user := rapid.String().Draw(t, "seed"), rapid.String().Draw(t, "user")
		n, _ := ParseNumber(percent)
		sum := sha256.Sum256([]byte(seed + "\x00" + user))
		hash := new(big.Int).SetUint64(binary.BigEndian.Uint64(sum[:8]))
		share := new(big.Rat).SetFrac(hash, new(big.Int).Lsh(big.NewInt(1), 64))
		limit, _ := new(big.Rat).SetString(percent)
		want := share.Cmp(limit.Quo(limit, big.NewRat(100, 1))) < 0
		if got := newSample(seed, n).Has(user); got != want {
			t.Fatalf("%q at %s %% of seed %q is %v, want %v", user, percent, seed, got, want)
		}
	})
}

func TestSampleEdges(t *testing.T) {
	t.Parallel()
	for user := range 1000 {
		id := fmt.Sprint(user)
		if newSample("", Number{}).Has(id) || !newSample("", IntNumber(100)).Has(id) {
			t.Fatalf("user %s is in none, or not in all", id)
		}
	}
}

// These verdicts agree with sha256sum (the first bytes are 8a, ec, 28 and a5) and hold for ever.
func ExampleSample() {
	half := newSample("spring", IntNumber(50))
	for _, user := range []string{"u_1", "u_2", "u_3", "u_4"} {
		fmt.Print(half.Has(user), " ")
	}
	// Output: false false true false
}
