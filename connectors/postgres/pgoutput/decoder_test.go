package pgoutput

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"muster/evaluator"
	"muster/pipeline/event"

	"pgregory.net/rapid"
)

// smallPart bounds parts in these tests, so that transactions have many.
const smallPart = 7

func smallParts() *Decoder {
	d := NewDecoder(config, noCatalog{})
	d.partChanges, d.partBytes = smallPart, 200
	return d
}

// log is a server's log of transactions, as messages.
type log [][]byte

// makeLog draws transactions of all sizes and kinds; users are numbered, so that order can be seen.
func makeLog(t *rapid.T) (messages log, users []string) {
	position := event.LSN(8)
	for range rapid.IntRange(1, 6).Draw(t, "transactions") {
		changes := rapid.IntRange(0, 5).Draw(t, "changes")
		if rapid.IntRange(0, 2).Draw(t, "large") == 0 {
			changes += rapid.IntRange(smallPart-2, 4*smallPart).Draw(t, "more changes")
		}
		start := position
		messages = append(messages, begin(start, evaluator.Instant(start)))
		for range changes {
			switch kind := rapid.IntRange(0, 20).Draw(t, "kind"); {
			case kind == 0:
				messages = append(messages, insert(otherOID, "x", "y"))
			case kind == 1:
				messages = append(messages, truncation(membersOID, usersOID, otherOID))
			default:
				user := fmt.Sprintf("u%d", len(users))
				users = append(users, user)
				messages = append(messages, insert(usersOID, user, strings.Repeat("p", kind)))
			}
		}
		position += 64
		messages = append(messages, commit(start, position))
	}
	return messages, users
}

func relations() [][]byte {
	return [][]byte{usersRelation(), relationMessage(membersOID, "muster", "members", 'd', "environment", "audience", "user_id", "tenant"),
		relationMessage(otherOID, "public", "other", 'd', "a", "b")}
}

// render is what a receiver sees, but for the bytes of rows.
func render(transactions []event.Transaction) (all []string) {
	for _, t := range transactions {
		var b strings.Builder
		fmt.Fprintf(&b, "%d-%d %t", t.Commit, t.End, t.More)
		for _, c := range t.Changes {
			fmt.Fprintf(&b, " %d%s", c.Op, c.User)
		}
		all = append(all, b.String())
	}
	return all
}

// However often and wherever the connection is cut, and whatever was not yet taken by then, what comes out is the same
// transactions with the same parts.
func TestCutsAnywhereChangeNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		messages, users := makeLog(t)
		whole := smallParts()
		if err := decodeAll(whole, append(relations(), messages...)...); err != nil {
			t.Fatal(err)
		}
		// A position may be a transaction of its own or part of the next, depending on when it is taken.
		want := strings.Join(withoutEmpty(render(whole.Take())), "\n")

		d := smallParts()
		var got []event.Transaction
		for cuts := rapid.IntRange(0, 4).Draw(t, "cuts"); ; cuts-- {
			d.Restart()
			from := 0 // the server sends from the last whole transaction, or from further back
			if rapid.Bool().Draw(t, "from its place") {
				from = firstAfter(messages, d.Reached())
			}
			end := len(messages)
			if cuts > 0 {
				end = rapid.IntRange(from, len(messages)).Draw(t, "cut")
			}
			if err := decodeAll(d, relations()...); err != nil {
				t.Fatal(err)
			}
			for _, message := range messages[from:end] {
				if err := d.Decode(context.Background(), message); err != nil {
					t.Fatal(err)
				}
				if rapid.IntRange(0, 9).Draw(t, "take") == 0 {
					got = append(got, d.Take()...)
				}
			}
			if end == len(messages) && cuts <= 0 {
				break
			}
		}
		got = append(got, d.Take()...)
		if rendered := strings.Join(withoutEmpty(render(got)), "\n"); rendered != want {
			t.Fatalf("got\n%s\nwant\n%s", rendered, want)
		}
		n := 0
		for _, transaction := range got {
			for _, c := range transaction.Changes {
				if c.Op != event.Upsert {
					continue
				}
				if c.User != users[n] || !bytes.Contains(c.Row, []byte(c.User)) {
					t.Fatalf("user %s with row %q, want %s", c.User, c.Row, users[n])
				}
				n++
			}
		}
	})
}

// firstAfter returns the place of the first transaction that a server would send.
func firstAfter(messages log, position event.LSN) int {
	for i, message := range messages {
		if message[0] == 'B' {
			c := cursor{rest: message[1:]}
			if event.LSN(c.uint64()) >= position {
				return i
			}
		}
	}
	return len(messages)
}

func withoutEmpty(rendered []string) (kept []string) {
	for _, line := range rendered {
		if strings.Count(line, " ") > 1 {
			kept = append(kept, line)
		}
	}
	return kept
}

func TestSeekSkipsUpToAndWithThePosition(t *testing.T) {
	t.Parallel()
	d := NewDecoder(config, noCatalog{})
	d.Seek(100)
	messages := append(relations(),
		begin(90, 1), insert(usersOID, "before", nil), commit(90, 95),
		begin(100, 2), insert(usersOID, "at", nil), commit(100, 108),
		begin(108, 3), insert(usersOID, "next", nil), commit(108, 116))
	if err := decodeAll(d, messages...); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(render(d.Take())); got != "[108-116 false 0next]" {
		t.Errorf("got %s", got)
	}
}

// A report of how far the server has read loses nothing, also a commit record that begins just there.
func TestPositionExcludesWhatBeginsAtIt(t *testing.T) {
	t.Parallel()
	d := NewDecoder(config, noCatalog{})
	if err := decodeAll(d, relations()...); err != nil {
		t.Fatal(err)
	}
	d.Position(200)
	d.Position(200) // the same again says nothing
	d.Position(150)
	if got := fmt.Sprint(render(d.Take())); got != "[199-200 false]" {
		t.Errorf("position: %s", got)
	}
	if err := decodeAll(d, begin(200, 5), insert(usersOID, "a", nil)); err != nil {
		t.Fatal(err)
	}
	d.Position(300) // within a transaction it means nothing
	if err := decodeAll(d, commit(200, 240)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(render(d.Take())); got != "[200-240 false 0a]" {
		t.Errorf("the commit at it: %s", got)
	}
}

// Which commit passes a timer must not depend on how much of the log was read at once, so commits without changes stay what
// they are. Positions carry no time of their own, and only the last of them counts.
func TestPositionsBecomeOneAndCommitsDoNot(t *testing.T) {
	t.Parallel()
	d := NewDecoder(config, noCatalog{})
	if err := decodeAll(d, relations()...); err != nil {
		t.Fatal(err)
	}
	for i := range event.LSN(2) {
		if err := decodeAll(d, begin(10*i+10, evaluator.Instant(50-i)), logical(HeartbeatPrefix, ""), commit(10*i+10, 10*i+20)); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range []event.LSN{40, 50, 60} {
		d.Position(end)
	}
	if err := decodeAll(d, begin(60, 9), logical(HeartbeatPrefix, ""), commit(60, 70), begin(70, 1), commit(70, 80)); err != nil {
		t.Fatal(err)
	}
	taken := d.Take()
	if got, want := strings.Join(render(taken), "; "), "10-20 false; 20-30 false; 60-70 false; 70-80 false"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if taken[2].Time != 49 { // time must not step back by being one
		t.Errorf("time %d", taken[2].Time)
	}
}

// What was taken is never written to again.
func TestTakenRowsStay(t *testing.T) {
	t.Parallel()
	d := NewDecoder(config, noCatalog{})
	if err := decodeAll(d, relations()...); err != nil {
		t.Fatal(err)
	}
	var kept []event.Change
	var copies []string
	for i := range 5000 {
		message := insert(usersOID, fmt.Sprint(i), strings.Repeat("x", i%300))
		at := event.LSN(i*16 + 16)
		if err := decodeAll(d, begin(at, 1), message, commit(at, at+16)); err != nil {
			t.Fatal(err)
		}
		clear(message) // the buffer is used again
		if i%7 == 0 {
			for _, transaction := range d.Take() {
				for _, c := range transaction.Changes {
					kept = append(kept, c)
					copies = append(copies, c.User+string(c.Row))
				}
			}
		}
	}
	for i, c := range kept {
		if c.User+string(c.Row) != copies[i] {
			t.Fatalf("change %d was %q, is %q", i, copies[i], c.User+string(c.Row))
		}
		if cap(c.Row) != len(c.Row) {
			t.Fatalf("appending to row %d would write over its neighbour", i)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	t.Parallel()
	cases := map[string][][]byte{
		"empty":                      {{}},
		"unknown kind":               {{'?'}},
		"change before begin":        {insert(usersOID, "a", nil)},
		"begin in a transaction":     {begin(1, 1), begin(2, 1)},
		"commit of another":          {begin(1, 1), commit(2, 3)},
		"commit without begin":       {commit(2, 3)},
		"unknown relation":           {begin(1, 1), insert(77, "a", nil)},
		"another number of columns":  {begin(1, 1), insert(usersOID, "a")},
		"a length beyond the end":    {begin(1, 1), insert(usersOID, "a", "b")[:12]},
		"no new row":                 {begin(1, 1), values(append([]byte{'I', 0, 0, 3, 233}, 'X'), "a", nil)},
		"a commit without a version": {begin(1, 1), relationMessage(5, "muster", "commits", 'd', "id", "environment"), insert(5, "1", "test")},
	}
	for name, messages := range cases {
		d := NewDecoder(config, noCatalog{})
		if err := decodeAll(d, append(relations(), messages...)...); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestShapesThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		message []byte
		want    error
	}{
		"renamed":         {relationMessage(usersOID, "public", "people", 'd', "id", "plan"), ErrUsersMoved},
		"replaced":        {relationMessage(4711, "public", "users", 'd', "id", "plan"), ErrUsersMoved},
		"no id":           {relationMessage(usersOID, "public", "users", 'd', "uid", "plan"), ErrNoID},
		"id not identity": {relationMessage(usersOID, "public", "users", 'i', "plan", "id"), ErrIdentity},
	}
	for name, c := range cases {
		d := NewDecoder(config, noCatalog{})
		if err := decodeAll(d, append(relations(), c.message)...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	d := NewDecoder(config, noCatalog{})
	if err := decodeAll(d, append(relations(), begin(1, 1), deletion(usersOID, nil, "pro"))...); !errors.Is(err, ErrIdentity) {
		t.Errorf("a delete without the id: %v", err)
	}
}

// No bytes make the decoder panic, or hand out what is no tuple of its schema.
func FuzzDecode(f *testing.F) {
	for _, message := range append(relations(), begin(1, 1), insert(usersOID, "a", "b"), deletion(usersOID, "a", nil), truncation(usersOID), logical(TokenPrefix, "t"), commit(1, 2)) {
		f.Add(message, message)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := NewDecoder(config, noCatalog{})
		if err := decodeAll(d, relations()...); err != nil {
			t.Fatal(err)
		}
		_ = d.Decode(context.Background(), first)
		_ = d.Decode(context.Background(), begin(5, 5))
		_ = d.Decode(context.Background(), second)
		_ = d.Decode(context.Background(), commit(5, 6))
		for _, transaction := range d.Take() {
			for _, c := range transaction.Changes {
				if c.Op != event.Upsert {
					continue
				}
				filled, err := c.Row.FillUnchanged(bytes.Repeat([]byte{0}, len(c.Schema.Columns)))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := evaluator.NewRow(c.Schema, filled); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	d := NewDecoder(config, noCatalog{})
	columns := []string{"id", "email", "name", "plan", "country", "mrr", "seen", "properties"}
	if err := decodeAll(d, relationMessage(usersOID, "public", "users", 'd', columns...)); err != nil {
		b.Fatal(err)
	}
	row := insert(usersOID, "12345", "user12345@example.org", "Some Name 12345", "pro", "NL", "12.5", "2026-01-02 03:04:05.678901+00", `{"seats": 5, "tags": ["a", "b"]}`)
	b.SetBytes(10 * int64(len(row)))
	b.ReportAllocs()
	ctx := context.Background()
	for i := 0; b.Loop(); i++ {
		at := event.LSN(i*16 + 16)
		_ = d.Decode(ctx, begin(at, 1))
		for range 10 {
			if err := d.Decode(ctx, row); err != nil {
				b.Fatal(err)
			}
		}
		_ = d.Decode(ctx, commit(at, at+16))
		if d.Full() {
			d.Take()
		}
	}
	b.ReportMetric(float64(b.N)*10/b.Elapsed().Seconds(), "changes/s")
}

// Commits that change nothing here, of other tables before version 15, fill a batch, too.
func TestFullOfCommitsWithoutChanges(t *testing.T) {
	t.Parallel()
	d := NewDecoder(config, noCatalog{})
	n := 0
	for at := event.LSN(16); !d.Full(); at += 16 {
		if err := decodeAll(d, begin(at, 1), commit(at, at+16)); err != nil {
			t.Fatal(err)
		}
		if n++; n > batchChanges {
			t.Fatalf("not full with %d commits", n)
		}
	}
	if got := len(d.Take()); got != n || d.Full() {
		t.Errorf("took %d of %d", got, n)
	}
}
