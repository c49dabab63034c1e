package pgoutput

import (
	"context"
	"testing"

	"muster/pipeline/event"
)

// described is a catalog that knows the users table.
type described struct{ noCatalog }

func (described) Table(context.Context, uint32) (Shape, error) {
	return Shape{Table: usersOID, Width: 2, Files: "f", Attributes: []Attribute{
		{Number: 1, Name: "id", Type: 25, Streamed: true}, {Number: 2, Name: "plan", Type: 25, Streamed: true},
	}}, nil
}

// The server describes a table before its first change on a connection and not again. When that change is one that the
// receiver has in a later shape, the changes behind it have the shape that is followed all the same: they are no sign that the
// table was written anew.
func TestADescriptionAmongWhatIsReadAgain(t *testing.T) {
	t.Parallel()
	d := NewDecoder(config, described{})
	shape, _ := described{}.Table(t.Context(), usersOID)
	schema, err := d.Read(t.Context(), shape, 10)
	if err != nil {
		t.Fatal(err)
	}
	read := *schema
	read.Rewrites = 3
	d.Follow(&read, 10)
	if err := decodeAll(d, begin(8, 1), usersRelation(), insert(usersOID, "a", "pro"), commit(8, 10),
		begin(16, 2), insert(usersOID, "b", "pro"), commit(16, 18), begin(24, 3), insert(usersOID, "c", "pro"), commit(24, 26)); err != nil {
		t.Fatal(err)
	}
	of := make(map[string]*event.Change)
	for _, transaction := range d.Take() {
		for i := range transaction.Changes {
			of[transaction.Changes[i].User] = &transaction.Changes[i]
		}
	}
	if of["a"] == nil || of["b"] == nil || of["c"] == nil {
		t.Fatalf("decoded %v", of)
	}
	if of["b"].Schema != &read || of["c"].Schema != &read {
		t.Errorf("changes after what was read have %d and %d rewrites, want 3", of["b"].Schema.Rewrites, of["c"].Schema.Rewrites)
	}
}
