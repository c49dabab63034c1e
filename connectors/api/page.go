package api

import (
	"encoding/base64"
	"slices"
)

const (
	defaultPage = 50
	maxPage     = 100
)

// PageQuery is the parameters of every list; embed it in the input.
type PageQuery struct {
	After    string `query:"after" doc:"The cursor after which the page begins: page_info.after of the page before."`
	Before   string `query:"before" doc:"The cursor before which the page ends: page_info.before of the page after."`
	PageSize int    `query:"page_size" minimum:"1" doc:"Entries on the page, 50 when not given; more than 100 is taken as 100."`
	Limit    int    `query:"limit" minimum:"1" doc:"Another name of page_size."`
}

// Window is the part of a list that a page needs: Limit rows that lie beyond From in the order of the list, or against it
// when Backward. Rows are named by a key that never changes, so that pages neither skip nor repeat what was there all
// along while other rows come and go.
type Window struct {
	From     string // key; "": from the end of the list that the direction begins at
	Backward bool
	Limit    int // one more than the page has: whether there are further rows
}

// window reads the parameters.
func (q PageQuery) window() (Window, error) {
	size := q.PageSize
	if size == 0 {
		size = q.Limit
	}
	if size == 0 {
		size = defaultPage
	}
	w := Window{Limit: min(size, maxPage) + 1}
	cursor, field := q.After, "after"
	if q.Before != "" {
		if q.After != "" {
			return Window{}, invalid("before", "a page begins after a cursor or ends before one; send one of the two")
		}
		cursor, field, w.Backward = q.Before, "before", true
	}
	if cursor == "" {
		return w, nil
	}
	key, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(key) < 2 || key[0] != cursorMark {
		return Window{}, invalid(field, "this is no cursor; take one from page_info")
	}
	w.From = string(key[1:])
	return w, nil
}

// cursorMark is the first byte of a cursor, so that a later form can be told apart.
const cursorMark = 1

func cursorOf(key string) *string {
	c := base64.RawURLEncoding.EncodeToString(append([]byte{cursorMark}, key...))
	return &c
}

// Page is one page of a list.
type Page[T any] struct {
	Entries  []T      `json:"entries" nullable:"false"`
	PageInfo PageInfo `json:"page_info"`
}

// PageInfo says where a page lies.
type PageInfo struct {
	TypeName string  `json:"__typename" example:"PageInfo"`
	PageSize int     `json:"page_size"`
	After    *string `json:"after" doc:"The cursor of the next page; null on the last."`
	Before   *string `json:"before" doc:"The cursor of the page before; null on the first."`
}

// pageOf makes the page of rows read as the window says, up to Limit, nearest first. key names a row as From does.
func pageOf[T any](w Window, rows []T, key func(*T) string) Page[T] {
	size := w.Limit - 1
	more := len(rows) > size
	rows = slices.Clone(rows[:min(len(rows), size)])
	if w.Backward {
		slices.Reverse(rows)
	}
	p := Page[T]{Entries: rows, PageInfo: PageInfo{TypeName: "PageInfo", PageSize: size}}
	if p.Entries == nil {
		p.Entries = []T{}
	}
	if len(rows) == 0 {
		return p
	}
	if more || w.Backward {
		p.PageInfo.After = cursorOf(key(&rows[len(rows)-1]))
	}
	if more && w.Backward || !w.Backward && w.From != "" {
		p.PageInfo.Before = cursorOf(key(&rows[0]))
	}
	return p
}

// pageAs turns the entries of a page into what is shown of them.
func pageAs[T, U any](p Page[T], show func(*T) U) Page[U] {
	entries := make([]U, len(p.Entries))
	for i := range p.Entries {
		entries[i] = show(&p.Entries[i])
	}
	return Page[U]{Entries: entries, PageInfo: p.PageInfo}
}
