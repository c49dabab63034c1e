package evaluator

import (
	"cmp"
	"errors"
	"slices"
)

// Document is a definition as somebody wrote it, under the key of its place.
type Document struct {
	Key  string
	Text []byte
}

// DecodeAll decodes documents that are to stand beside other definitions, each in place of the one that has its key there.
// The error is of type SetFaults and holds at once what Decode finds wrong with each of them and what CheckSet finds wrong
// with their references, as far as they can be read; faults of the others are theirs and left out.
func DecodeAll(documents []Document, beside []*Definition) ([]*Definition, error) {
	var faults SetFaults
	sketches := make([]*Definition, 0, len(documents))
	place := make(map[string]int, len(documents))
	for i, document := range documents {
		place[document.Key] = i
		sketch, err := decode(document.Text, document.Key)
		var wrong Faults
		if errors.As(err, &wrong) {
			for _, f := range wrong {
				faults = append(faults, SetFault{document.Key, f})
			}
		}
		if sketch != nil {
			sketch.Key = document.Key
			sketches = append(sketches, sketch)
		}
	}
	set := slices.Clone(sketches)
	for _, d := range beside {
		if _, replaced := place[d.Key]; !replaced {
			set = append(set, d)
		}
	}
	var between SetFaults
	if errors.As(CheckSet(set), &between) {
		for _, f := range between {
			if _, ours := place[f.Audience]; ours {
				faults = append(faults, f)
			}
		}
	}
	if len(faults) == 0 {
		return sketches, nil
	}
	slices.SortStableFunc(faults, func(a, b SetFault) int { return cmp.Compare(place[a.Audience], place[b.Audience]) })
	return nil, faults
}
