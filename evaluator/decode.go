package evaluator

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Decode reads and checks a definition. The key may come from its place (a URL, a folder) or from the document; where both
// have one they must agree, and with "" the document's counts. The error is of type Faults and holds everything that is
// wrong at once. What a single document cannot show, unknown audiences and cycles, is CheckSet's.
func Decode(document []byte, key string) (*Definition, error) {
	def, err := decode(document, key)
	if err != nil {
		return nil, err
	}
	return def, nil
}

// decode is Decode for those who want to go on when there are faults: beside them it returns what could be read, nil when
// that is nothing.
func decode(document []byte, key string) (*Definition, error) {
	if len(document) > MaxDocument {
		return nil, Faults{{Message: fmt.Sprintf("the definition has %d bytes, more than %d", len(document), MaxDocument)}}
	}
	if !utf8.Valid(document) {
		return nil, Faults{{Message: "the definition is not UTF-8"}}
	}
	d := decoder{unusual: make(map[string]bool)}
	v, err := d.parse(string(document), "")
	if err != nil {
		return nil, Faults{{Message: err.Error()}}
	}
	def := d.definition(v, key)
	if len(d.faults) > 0 {
		return def, d.faults
	}
	def.Warnings = d.warnings
	return def, nil
}

// decoder gathers faults while it walks a document. Each of its methods reads one part, reports what is wrong with it and
// returns what can be used, so that the walk goes on.
type decoder struct {
	faults     Faults
	warnings   []Fault
	conditions int
	program    int             // instructions of all patterns so far
	unusual    map[string]bool // places of numbers under the key value that are not plain digits
	within     string          // while not "": the place of a string whose content is being read, for all faults in it
}

func (d *decoder) fault(path, format string, args ...any) {
	if d.full() {
		return
	}
	if d.within != "" {
		path = d.within
	}
	d.faults = append(d.faults, Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

// full reports whether so many faults were found that more would help nobody.
func (d *decoder) full() bool { return len(d.faults) >= MaxFaults }

func (d *decoder) warn(path, format string, args ...any) {
	d.warnings = append(d.warnings, Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

// parse reads JSON that stands at path, reporting keys given twice and numbers out of bounds.
func (d *decoder) parse(text, path string) (Value, error) {
	p := jsonParser{text: text, watch: &jsonWatch{
		path: jsonPath{text: []byte(path)},
		duplicate: func(path *jsonPath) {
			if !d.full() {
				d.fault(path.String(), "the key is given twice")
			}
		},
		number: func(path *jsonPath, text string, parts numberText) {
			if !parts.bounded(len(text)) && !d.full() {
				d.fault(path.String(), "a number has at most %d characters and an exponent within %d", maxNumericString, maxNumericExponent)
			}
			if path.endsIn("value") && (parts.negative || parts.fraction != "" || parts.exponent != "") {
				d.unusual[path.String()] = true
			}
		},
	}}
	return p.document()
}

// only reports every key of an object that is not among the known ones.
func (d *decoder) only(path string, v Value, what string, known ...string) {
	for _, m := range v.Members() {
		if !slices.Contains(known, m.Key) {
			d.fault(keyPath(path, m.Key), "unknown key; %s has %s", what, enumerate(known))
		}
	}
}

// enumerate writes a list of names as prose.
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func (d *decoder) definition(v Value, key string) *Definition {
	if v.Kind() != KindObject {
		d.fault("", "a definition is a JSON object, this is a %s", v.Kind())
		return nil
	}
	d.only("", v, "a definition", "key", "name", "description", "type", "segments", "settle", "trigger_frequency",
		"trigger_on_backfill", "include", "environment", "created_at", "updated_at", "sha", "__annotation", "__readonly", "$schema")
	def := &Definition{
		Key:         d.key(v, key),
		Name:        d.text(v, "name"),
		Description: d.text(v, "description"),
		Type:        d.audienceType(v),
	}
	if def.Name == "" {
		def.Name = def.Key
	}
	def.Segments = d.segments(v, def.Type)
	d.settings(v, def)
	return def
}

func (d *decoder) key(v Value, key string) string {
	given, ok := v.Member("key")
	switch {
	case !ok || given.IsNull():
		if key == "" {
			d.fault("key", "the key is missing; %s", keyHint)
			return ""
		}
	case given.Kind() != KindString:
		d.fault("key", "the key is a string, this is a %s", given.Kind())
		return key
	case key != "" && given.Text() != key:
		d.fault("key", "the key %q differs from %q, under which the definition is filed", given.Text(), key)
		return key
	default:
		key = given.Text()
	}
	if !IsKey(key) {
		d.fault("key", "%.140q is no key; %s", key, keyHint)
	}
	return key
}

// text reads an optional string of the definition.
func (d *decoder) text(v Value, name string) string {
	given, _ := v.Member(name)
	if !given.IsNull() && given.Kind() != KindString {
		d.fault(name, "the %s is a string, this is a %s", name, given.Kind())
	}
	return given.Text()
}

func (d *decoder) audienceType(v Value) Type {
	given, ok := v.Member("type")
	if !ok { // other tools move what never changes there
		readonly, _ := v.Member("__readonly")
		given, ok = readonly.Member("type")
	}
	switch given.Text() {
	case "dynamic":
		return Dynamic
	case "static":
		return Static
	}
	if !ok {
		d.fault("type", `the type is missing; it is "dynamic" or "static"`)
	} else {
		d.fault("type", `the type is "dynamic" or "static", not %s`, shown(given))
	}
	return 0
}

// shown is a value as faults quote it.
func shown(v Value) string {
	const limit = 80
	if s := v.String(); len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "..."
	} else {
		return s
	}
}

func (d *decoder) segments(v Value, t Type) []Segment {
	given, _ := v.Member("segments")
	switch {
	case given.Kind() != KindList && !given.IsNull():
		d.fault("segments", "segments is a list, this is a %s", given.Kind())
		return nil
	case len(given.Items()) == 0:
		if t == Dynamic {
			d.fault("segments", "a dynamic audience has at least one segment")
		}
		return nil
	case t == Static:
		d.fault("segments", "a static audience has no segments; its members are recorded one by one")
		return nil
	}
	segments := make([]Segment, len(given.Items()))
	for i, item := range given.Items() {
		path := indexPath("segments", i)
		if item.Kind() != KindObject {
			d.fault(path, `a segment is an object {"conditions": [...]}, this is a %s`, item.Kind())
			continue
		}
		d.only(path, item, "a segment", "conditions")
		conditions, _ := item.Member("conditions")
		segments[i].Conditions = d.conditionList(keyPath(path, "conditions"), conditions, "a segment", 0)
	}
	return segments
}
