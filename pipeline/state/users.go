package state

import (
	"encoding/binary"

	"muster/evaluator"
)

// Record reads the record of user into r; it reports whether there is one. buf is memory to use, and the result's tuple
// points into the memory returned.
func (v *View) Record(user string, r *Record, buf []byte) (found bool, memory []byte, err error) {
	key := userKey(make([]byte, 0, 64), user)
	data, err := v.getInto(buf[:0], key)
	if err != nil {
		return false, buf, err
	}
	if data == nil {
		*r = Record{Flip: evaluator.NoInstant, Memberships: r.Memberships[:0], Recorded: r.Recorded[:0], Waits: r.Waits[:0]}
		return false, buf, nil
	}
	return true, data, r.Decode(data)
}

// Users calls visit with each user after the given one, in key order, until it returns false. The encoded record is
// valid during the call only.
func (v *View) Users(afterUser string, visit func(user string, encoded []byte) (bool, error)) error {
	lower := userKey(nil, afterUser)
	if afterUser != "" {
		lower = append(lower, 0)
	}
	return v.walk(lower, []byte{prefixUser + 1}, func(key, value []byte) (bool, error) {
		return visit(string(key[1:]), value)
	})
}

// Members calls visit with each member of an audience behind (user, tenant), in order, until it returns false.
func (v *View) Members(audience evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error {
	return v.index(prefixMember, audience, user, tenant, visit)
}

// Recorded calls visit with each static member recorded for an audience, missing users included, behind (user, tenant),
// in order, until it returns false.
func (v *View) Recorded(audience evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error {
	return v.index(prefixRecorded, audience, user, tenant, visit)
}

func (v *View) index(prefix byte, audience evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error {
	all := numberedKey(nil, prefix, uint32(audience))
	lower := all
	if user != "" {
		lower = append(memberKey(nil, prefix, audience, user, tenant), 0)
	}
	return v.walk(lower, after(all), func(key, _ []byte) (bool, error) {
		user, tenant, ok := splitMember(key[len(all):])
		if !ok {
			return false, ErrCorrupt
		}
		return visit(user, tenant)
	})
}

func splitMember(rest []byte) (user, tenant string, ok bool) {
	for i, b := range rest {
		if b == 0 {
			return string(rest[:i]), string(rest[i+1:]), true
		}
	}
	return "", "", false
}

// Sizes returns how many members each audience has.
func (v *View) Sizes() (map[evaluator.AudienceID]int64, error) {
	sizes := make(map[evaluator.AudienceID]int64)
	err := v.walk([]byte{prefixSize}, []byte{prefixSize + 1}, func(key, value []byte) (bool, error) {
		in := reader{rest: value}
		sizes[evaluator.AudienceID(binary.BigEndian.Uint32(key[1:]))] = in.varint()
		return true, in.err
	})
	return sizes, err
}
