package state

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// splitDepth bounds how long the common beginning of all ids may be for SplitUsers to find a place to split.
const splitDepth = 128

// SplitUsers returns ids at which a walk over all users can be split for several to walk at once: ascending, at least
// that many where the ids allow it, and of sizes that differ. It follows the ids' beginnings, byte by byte, as deep as
// needed, so it costs a few hundred seeks and looks at no record.
func (v *View) SplitUsers(least int) (starts []string, err error) {
	it, err := v.from.NewIter(&pebble.IterOptions{LowerBound: []byte{prefixUser}, UpperBound: []byte{prefixUser + 1}})
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	s := splitter{it}
	starts = []string{""}
	for depth := 0; len(starts) < least && depth < splitDepth; depth++ {
		var finer []string
		grew := false
		for _, prefix := range starts {
			if len(prefix) < depth { // an id that ends here, or before
				finer = append(finer, prefix)
				continue
			}
			children := s.children(prefix)
			grew = grew || len(children) > 0
			finer = append(finer, children...)
		}
		if !grew {
			break
		}
		starts = finer
	}
	return starts, errors.Join(it.Error(), closeAfterRead(it))
}

type splitter struct{ it *pebble.Iterator }

// children returns the beginnings one byte longer that ids under a beginning have, and the id itself if it is one.
func (s splitter) children(prefix string) (list []string) {
	for from := userKey(nil, prefix); s.it.SeekGE(from); {
		user := string(s.it.Key()[1:])
		if !strings.HasPrefix(user, prefix) {
			break
		}
		if user == prefix {
			list = append(list, prefix)
			from = append(userKey(nil, prefix), 0)
			continue
		}
		next := user[len(prefix)]
		list = append(list, user[:len(prefix)+1])
		if next == 0xff {
			break
		}
		from = append(userKey(nil, prefix), next+1)
	}
	return list
}

// UsersIn calls visit with each user from one id (included) to another (excluded; "" is the end), in key order, until it
// returns false. Id and record are valid during the call only.
func (v *View) UsersIn(from, to string, visit func(user, encoded []byte) (bool, error)) error {
	upper := []byte{prefixUser + 1}
	if to != "" {
		upper = userKey(nil, to)
	}
	return v.walk(userKey(nil, from), upper, func(key, value []byte) (bool, error) { return visit(key[1:], value) })
}
