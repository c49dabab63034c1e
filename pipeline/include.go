package pipeline

import (
	"encoding/json"

	"muster/evaluator"
)

// included is the JSON object of the properties that an audience's events carry: each under its path without the
// leading "recipient.", null when the user does not have it. It is nil when the definition includes none.
func included(paths []evaluator.Path, row *evaluator.Row) []byte {
	if len(paths) == 0 || row == nil {
		return nil
	}
	object := []byte{'{'}
	for i, p := range paths {
		if i > 0 {
			object = append(object, ',')
		}
		name, err := json.Marshal(p.Name())
		if err != nil { // a string always encodes
			panic(err)
		}
		object = append(object, name...)
		object = append(object, ':')
		object = row.Property(p).AppendJSON(object)
	}
	return append(object, '}')
}
