package evaluator

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
)

// newSample prepares the comparison hash / 2^64 < percent / 100: the hash is a whole number, so it holds exactly when the
// hash is below percent * 2^64 / 100 rounded up, which is computed here once and without floating point.
func newSample(seed string, percent Number) *Sample {
	s := &Sample{Seed: seed, Percent: percent}
	r, _ := new(big.Rat).SetString(percent.String())
	r.Mul(r, new(big.Rat).SetFrac(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(100)))
	ceiling := new(big.Int).Add(r.Num(), new(big.Int).Sub(r.Denom(), big.NewInt(1)))
	ceiling.Quo(ceiling, r.Denom())
	s.everyone = !ceiling.IsUint64()
	s.threshold = ceiling.Uint64()
	return s
}

// Has reports whether a user is in the sample. The answer is the same on every machine and for ever.
func (s *Sample) Has(user string) bool { return s.Covers(SampleHash(s.Seed, user)) }

// Covers reports whether a user of that hash is in the sample: divided by 2^64 it is below the percentage.
func (s *Sample) Covers(hash uint64) bool { return s.everyone || hash < s.threshold }

// SampleHash is where a user stands in the samples of one seed: the first 8 bytes, big endian, of SHA-256 over the seed, a zero
// byte and the user's id.
func SampleHash(seed, user string) uint64 {
	var buf [256]byte
	b := append(append(append(buf[:0], seed...), 0), user...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8])
}
