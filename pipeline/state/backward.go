package state

import "muster/evaluator"

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
