package pipeline

// recordCache keeps records, as encoded, that were worked lately. Users that change tend to change again soon, and a read
// of the state costs more than all the judging of a change.
//
// It holds two generations: what was written since the last turn, and what the turn before left. When the younger one
// has half of the budget the older one is dropped. That is nearly as good as least-recently-used and needs no list.
//
// Only the run loop writes, between batches; the workers read, within one. So there is no lock.
type recordCache struct {
	budget int // bytes
	young  map[string][]byte
	old    map[string][]byte
	size   int // of young
}

// entryOverhead is about what a map entry takes beside key and value.
const entryOverhead = 64

func newRecordCache(budget int) *recordCache {
	return &recordCache{budget: budget, young: make(map[string][]byte), old: make(map[string][]byte)}
}

// get returns the record of a user as encoded, which must not be changed; nil when the cache does not have it.
func (c *recordCache) get(user string) []byte {
	if data := c.young[user]; data != nil {
		return data
	}
	return c.old[user]
}

// put replaces the record of a user; nil says that there is none any more.
func (c *recordCache) put(user string, encoded []byte) {
	if before, ok := c.young[user]; ok {
		c.size -= len(user) + len(before) + entryOverhead
	}
	if encoded == nil {
		delete(c.young, user)
		delete(c.old, user)
		return
	}
	c.young[user] = encoded
	c.size += len(user) + len(encoded) + entryOverhead
	if c.size > c.budget/2 {
		c.old, c.young, c.size = c.young, make(map[string][]byte), 0
	}
}
