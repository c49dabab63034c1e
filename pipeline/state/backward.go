package state

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"muster/evaluator"
)

// UsersBackward is Users against the order of the keys, from the user before the given one; "" begins at the last.
func (v *View) UsersBackward(beforeUser string, visit func(user string, encoded []byte) (bool, error)) error {
	upper := []byte{prefixUser + 1}
	if beforeUser != "" {
		upper = userKey(nil, beforeUser)
	}
	return v.walkBackward([]byte{prefixUser}, upper, func(key, value []byte) (bool, error) {
		return visit(string(key[1:]), value)
	})
}

// MembersBackward is Members against the order, from the member before (user, tenant); "" begins at the last.
func (v *View) MembersBackward(audience evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error {
	return v.indexBackward(prefixMember, audience, user, tenant, visit)
}

// RecordedBackward is Recorded against the order, from the member before (user, tenant); "" begins at the last.
func (v *View) RecordedBackward(audience evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error {
	return v.indexBackward(prefixRecorded, audience, user, tenant, visit)
}

func (v *View) indexBackward(prefix byte, audience evaluator.AudienceID, user, tenant string, visit func(user, tenant string) (bool, error)) error {
	all := numberedKey(nil, prefix, uint32(audience))
	upper := after(all)
	if user != "" {
		upper = memberKey(nil, prefix, audience, user, tenant)
	}
	return v.walkBackward(all, upper, func(key, _ []byte) (bool, error) {
		user, tenant, ok := splitMember(key[len(all):])
		if !ok {
			return false, ErrCorrupt
		}
		return visit(user, tenant)
	})
}

// walkBackward is walk from upper (excluded) down to lower (included).
func (v *View) walkBackward(lower, upper []byte, visit func(key, value []byte) (bool, error)) error {
	it, err := v.from.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	for ok := it.Last(); ok; ok = it.Prev() {
		value, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(fmt.Errorf("read state: %w", err), it.Close())
		}
		more, err := visit(it.Key(), value)
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !more {
			break
		}
	}
	return closeAfterRead(it)
}
