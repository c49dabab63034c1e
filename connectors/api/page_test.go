package api

import (
	"fmt"
	"slices"
	"sort"
	"testing"

	"pgregory.net/rapid"
)

// rowsOf reads a sorted list as a store would.
func rowsOf(list []string, w Window) []string {
	i := sort.SearchStrings(list, w.From)
	var rows []string
	if w.Backward {
		rows = slices.Clone(list[:i])
		slices.Reverse(rows)
	} else {
		if w.From != "" && i < len(list) && list[i] == w.From {
			i++
		}
		rows = list[i:]
	}
	return rows[:min(len(rows), w.Limit)]
}

func itself(s *string) string { return *s }

// TestPagesNeitherSkipNorRepeat pages through a list that changes between any two pages, forwards and backwards.
func TestPagesNeitherSkipNorRepeat(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("k%03d", rapid.IntRange(0, 200).Draw(t, "row")) })
		steady := rapid.SliceOfNDistinct(row, 0, 60, rapid.ID).Draw(t, "steady")
		slices.Sort(steady)
		backward := rapid.Bool().Draw(t, "backward")
		query := PageQuery{PageSize: rapid.IntRange(1, 7).Draw(t, "size")}
		if backward {
			query.Before = *cursorOf("zzz")
		}
		seen := map[string]int{}
		var order []string
		for range 300 {
			list := append(rapid.SliceOfN(row, 0, 10).Draw(t, "passing"), steady...)
			slices.Sort(list)
			list = slices.Compact(list)
			w, err := query.window()
			if err != nil {
				t.Fatal(err)
			}
			p := pageOf(w, rowsOf(list, w), itself)
			if len(p.Entries) > query.PageSize || !slices.IsSorted(p.Entries) {
				t.Fatalf("page %v", p.Entries)
			}
			for _, entry := range p.Entries {
				seen[entry]++
			}
			next := p.PageInfo.After
			if backward {
				next = p.PageInfo.Before
				order = append(slices.Clone(p.Entries), order...)
			} else {
				order = append(order, p.Entries...)
			}
			if next == nil {
				break
			}
			if query.After = *next; backward {
				query.After, query.Before = "", *next
			}
		}
		if !slices.IsSorted(order) {
			t.Fatalf("out of order: %v", order)
		}
		for _, entry := range steady {
			if seen[entry] != 1 {
				t.Fatalf("%s seen %d times in %v", entry, seen[entry], order)
			}
		}
	})
}

func TestPageParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query PageQuery
		limit int
		fails string
	}{
		{query: PageQuery{}, limit: 51},
		{query: PageQuery{Limit: 7}, limit: 8},
		{query: PageQuery{PageSize: 3, Limit: 7}, limit: 4},
		{query: PageQuery{PageSize: 1000}, limit: 101},
		{query: PageQuery{After: "?"}, fails: "after"},
		{query: PageQuery{Before: "AAAA"}, fails: "before"},
		{query: PageQuery{After: *cursorOf("a"), Before: *cursorOf("b")}, fails: "before"},
	} {
		w, err := c.query.window()
		if c.fails != "" {
			if e, ok := err.(*Error); !ok || e.Errors[0].Field != c.fails {
				t.Errorf("%+v: %v", c.query, err)
			}
		} else if err != nil || w.Limit != c.limit {
			t.Errorf("%+v: %+v, %v", c.query, w, err)
		}
	}
}
