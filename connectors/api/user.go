package api

import (
	"encoding/json"
	"strings"

	"muster/evaluator"
)

// standardFields are what every user has at the top, null when the table has no such column and the user no such property.
var standardFields = []string{"name", "email", "phone_number", "avatar", "timezone", "created_at", "updated_at"}

// userJSON is a user as the data API shows it: its columns and the properties of its document side by side, a column
// hiding the property of its name.
func userJSON(id string, row *evaluator.Row) json.RawMessage {
	dst := append([]byte(`{"__typename":"User","id":`), quoted(id)...)
	add := func(name string, v evaluator.Value) {
		dst = append(append(append(dst, ','), quoted(name)...), ':')
		dst = v.AppendJSON(dst)
	}
	schema := row.Schema()
	shown := map[string]bool{"__typename": true, "id": true}
	for _, name := range standardFields {
		shown[name] = true
		add(name, row.Property(evaluator.Path{name}))
	}
	for i := range schema.Columns {
		if name := schema.Columns[i].Name; i != schema.Key && i != schema.Properties && !shown[name] {
			shown[name] = true
			add(name, row.Value(i))
		}
	}
	if schema.Properties >= 0 {
		for _, m := range row.Value(schema.Properties).Members() {
			if !shown[m.Key] && schema.Column(m.Key) < 0 && !schema.IsHidden(m.Key) {
				add(m.Key, m.Value)
			}
		}
	}
	return append(dst, '}')
}

func quoted(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string always encodes
		panic(err)
	}
	return text
}

// maxID bounds the ids of users and tenants.
const maxID = 1_000

// checkID says what is wrong with the id of a user or tenant, "" when nothing is.
func checkID(id string) string {
	switch {
	case id == "":
		return "it is empty"
	case len(id) > maxID:
		return "it has more than 1000 bytes"
	case strings.ContainsRune(id, 0):
		return "it holds U+0000"
	}
	return ""
}

// idOf reads an id that may be given as a string or, by careless clients, as a number.
func idOf(raw json.RawMessage) (id, fault string) {
	var number json.Number
	if err := json.Unmarshal(raw, &id); err == nil && len(raw) > 0 && raw[0] == '"' {
		return id, checkID(id)
	}
	if len(raw) > 0 && raw[0] != '"' && json.Unmarshal(raw, &number) == nil && number != "" {
		return number.String(), checkID(number.String())
	}
	return "", "it is no string"
}
