package state

import (
	"encoding/binary"

	"muster/evaluator"
)

const (
	prefixMeta     = 'm'
	prefixUser     = 'u'
	prefixTimer    = 't'
	prefixMember   = 'i'
	prefixAudience = 'a'
	prefixSchema   = 's'
	prefixOutbox   = 'o'
	prefixCursor   = 'c'
	prefixStaged   = 'l'
	prefixSize     = 'n'
	prefixEpoch    = 'g'
	prefixRecorded = 'r'
)

func userKey(dst []byte, user string) []byte { return append(append(dst, prefixUser), user...) }

// timerKey sorts by due instant, then by user: the sign bit is flipped so that instants before 2000 come first.
func timerKey(dst []byte, due evaluator.Instant, user string) []byte {
	dst = append(dst, prefixTimer)
	dst = binary.BigEndian.AppendUint64(dst, uint64(due)^1<<63)
	return append(dst, user...)
}

func parseTimerKey(key []byte) (due evaluator.Instant, user string) {
	return evaluator.Instant(binary.BigEndian.Uint64(key[1:9]) ^ 1<<63), string(key[9:])
}

// memberKey separates user and tenant by a zero byte, which Postgres text cannot hold.
func memberKey(dst []byte, prefix byte, audience evaluator.AudienceID, user, tenant string) []byte {
	dst = append(numberedKey(dst, prefix, uint32(audience)), user...)
	dst = append(dst, 0)
	return append(dst, tenant...)
}

func outboxKey(dst []byte, sequence uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefixOutbox), sequence)
}

func numberedKey(dst []byte, prefix byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, prefix), n)
}

func namedKey(prefix byte, name string) []byte { return append([]byte{prefix}, name...) }

// after is the first key behind every key that begins with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
