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

// Has reports whether a user is in the sample: the first 8 bytes, big endian, of SHA-256 over the seed, a zero byte and the
// user's id, divided by 2^64, are below the percentage. The answer is the same on every machine and for ever.
func (s *Sample) Has(user string) bool {
	var buf [256]byte
	b := append(append(append(buf[:0], s.Seed...), 0), user...)
	sum := sha256.Sum256(b)
	return s.everyone || binary.BigEndian.Uint64(sum[:8]) < s.threshold
}
