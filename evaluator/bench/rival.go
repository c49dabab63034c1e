package main

import (
	"muster/evaluator"
	"muster/evaluator/compiled/workload"
)

// rival judges one user by one audience at a time, as the libraries do.
type rival interface {
	// decode keeps a user in the form the library likes best and returns its number.
	decode(row *evaluator.Row, user string) (int, error)
	holds(audience, user int) (bool, error)
}

// newRival compiles audiences.
type newRival func(audiences []evaluator.Audience) (rival, error)

// field is the value of a column as Go programs have it: a string, a float64 or a bool. Times are microseconds, for what
// the libraries have for times is slower than what they have for numbers.
func field(row *evaluator.Row, column int) any {
	v := row.Value(column)
	switch v.Kind() {
	case evaluator.KindNumber:
		i, _ := v.Number().Int64()
		return float64(i)
	case evaluator.KindBool:
		return v.Bool()
	case evaluator.KindTimestamp:
		i, _ := v.Instant()
		return float64(i)
	}
	return v.Text()
}

// asShipped judges both rows by every audience.
type asShipped struct {
	rival     rival
	audiences []evaluator.Audience
	users     [][2]int
	ids       []evaluator.AudienceID
}

func shipped(make newRival) func([]evaluator.Audience, []workload.Change) (subject, error) {
	return func(audiences []evaluator.Audience, changes []workload.Change) (subject, error) {
		r, err := make(audiences)
		if err != nil {
			return nil, err
		}
		users, err := decodeAll(r, changes)
		return &asShipped{rival: r, audiences: audiences, users: users}, err
	}
}

func decodeAll(r rival, changes []workload.Change) ([][2]int, error) {
	users := make([][2]int, len(changes))
	for i := range changes {
		var err error
		if users[i][0], err = r.decode(changes[i].Before.Row, changes[i].Before.User); err != nil {
			return nil, err
		}
		if users[i][1], err = r.decode(changes[i].After.Row, changes[i].After.User); err != nil {
			return nil, err
		}
	}
	return users, nil
}

func (s *asShipped) diff(change int) error {
	s.ids = s.ids[:0]
	for a := range s.audiences {
		was, err := s.rival.holds(a, s.users[change][0])
		if err != nil {
			return err
		}
		is, err := s.rival.holds(a, s.users[change][1])
		if err != nil {
			return err
		}
		if was != is {
			s.ids = append(s.ids, s.audiences[a].ID)
		}
	}
	return nil
}

func (s *asShipped) found() []evaluator.AudienceID { return s.ids }

// withHelp remembers memberships and judges only the audiences that read what changed.
type withHelp struct {
	asShipped
	member  [][]bool // by change and audience: before it
	changed [][]int  // by change: columns
	readers [][]int  // by column: audiences, ascending
	seen    []int
	stamp   int
}

func helped(make newRival) func([]evaluator.Audience, []workload.Change) (subject, error) {
	return func(audiences []evaluator.Audience, changes []workload.Change) (subject, error) {
		s, err := shipped(make)(audiences, changes)
		if err != nil {
			return nil, err
		}
		h := &withHelp{asShipped: *s.(*asShipped)}
		return h, h.prepare(changes)
	}
}

func (h *withHelp) prepare(changes []workload.Change) error {
	h.readers = make([][]int, len(workload.Schema.Columns))
	h.seen = make([]int, len(h.audiences))
	for a := range h.audiences {
		for _, p := range h.audiences[a].Definition.PropertyPaths() {
			c := workload.Schema.Column(p.Path[0])
			h.readers[c] = append(h.readers[c], a)
		}
	}
	for i := range changes {
		member := make([]bool, len(h.audiences))
		for a := range member {
			var err error
			if member[a], err = h.rival.holds(a, h.users[i][0]); err != nil {
				return err
			}
		}
		h.member = append(h.member, member)
		var changed []int
		for c := range workload.Schema.Columns {
			if string(changes[i].Before.Row.Text(c)) != string(changes[i].After.Row.Text(c)) {
				changed = append(changed, c)
			}
		}
		h.changed = append(h.changed, changed)
	}
	return nil
}

func (h *withHelp) diff(change int) error {
	h.ids = h.ids[:0]
	h.stamp++
	for _, c := range h.changed[change] {
		for _, a := range h.readers[c] {
			if h.seen[a] == h.stamp {
				continue
			}
			h.seen[a] = h.stamp
			is, err := h.rival.holds(a, h.users[change][1])
			if err != nil {
				return err
			}
			if is != h.member[change][a] {
				h.ids = append(h.ids, h.audiences[a].ID)
			}
		}
	}
	sortIDs(h.ids)
	return nil
}
