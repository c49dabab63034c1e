package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Identify is a user as a client gives it: the properties named are set, others stay.
type Identify struct {
	ID         string
	Properties map[string]json.RawMessage
}

// NewMember is a static member as a client gives it, with the properties of its user, if any.
type NewMember struct {
	User   Identify
	Tenant string // "" is none
}

// UserField is a column of the users table as writers may name it.
type UserField struct {
	Name string
	Type string // as Postgres writes it: text, integer, timestamp with time zone, text[]
}

// DataFault is one thing wrong with one record of a batch.
type DataFault struct {
	Index   int    // of the record
	Field   string // the property, "id" or "tenant"; "" is the record as a whole
	Message string
}

// DataFaults is all that was found wrong with a batch of records. Nothing of the batch was done.
type DataFaults []DataFault

// Error names every fault, one a line.
func (f DataFaults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = fmt.Sprintf("record %d, %s: %s", f[i].Index, f[i].Field, f[i].Message)
	}
	return strings.Join(lines, "\n")
}

// Bulk is an operation over many records that is worked in the background.
type Bulk struct {
	ID        string
	Name      string // users.identify or users.delete
	Status    string // queued, processing, completed or failed
	Total     int
	Processed int
	Succeeded int
	Failed    []BulkFailure

	InsertedAt, UpdatedAt            time.Time
	StartedAt, CompletedAt, FailedAt *time.Time
}

// BulkFailure is a record of a bulk operation that could not be done.
type BulkFailure struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}
