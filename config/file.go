package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// document is YAML text being read into settings: the file, or a variable that holds a list of sections. It walks the
// syntax tree itself because the library's strict decoding ends at the first fault.
type document struct {
	*loader
	place Origin // File or Variable; lines and columns are added
}

// read parses text and sets everything it holds in target.
func (d document) read(text []byte, target setting) {
	file, err := parser.ParseBytes(normalize(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err, target.key)
		return
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			d.unreadable = true
			d.fault(d.at(doc.Body), target.key, "a second document begins here; only one is read")
			return
		}
		body = doc.Body
	}
	if body == nil {
		return
	}
	if _, ok := body.(ast.MapNode); !ok && target.section() {
		d.unreadable = true
	}
	d.set(target, body)
}

// normalize takes away what the library stumbles over: it counts a CR LF as two lines in places, and a byte order mark as
// a part of the first key.
func normalize(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
}

// syntax records what the parser could not read. It can report only the first such place.
func (d document) syntax(err error, key string) {
	d.unreadable = d.unreadable || d.place.Variable == ""
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		d.fault(d.place, key, "is not valid YAML: "+firstLine(err.Error()))
		return
	}
	d.fault(d.position(e.GetToken()), key, "is not valid YAML: "+e.GetMessage())
}

// set gives the setting the value of the node, or records why it cannot have it. A null means "not given", so that a
// section whose keys are all commented out is no fault.
func (d document) set(s setting, node ast.Node) {
	if text, ok := plainColon(node); ok && s.takesStrings() {
		d.text(s, node, text)
		return
	}
	switch n := node.(type) {
	case *ast.NullNode:
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.fault(d.at(node), s.key, "anchors, aliases and tags are not read here; write the value itself")
	case *ast.MappingNode:
		d.mapping(s, n, n.Values)
	case *ast.MappingValueNode:
		d.mapping(s, n, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		d.list(s, n)
	default:
		d.scalar(s, node)
	}
}

func (d document) mapping(s setting, node ast.Node, entries []*ast.MappingValueNode) {
	if !s.section() {
		d.mismatch(s, node, "a section")
		return
	}
	known := settingsOf(s.value, s.key)
	seen := make(map[string]bool, len(entries))
	for _, entry := range entries {
		name, ok := keyName(entry.Key)
		where := d.at(entry.Key)
		switch child := find(known, name); {
		case !ok:
			d.fault(where, s.key, "a key must be a plain name")
		case seen[name]:
			d.fault(where, join(s.key, name), "is given twice")
		case child.key == "":
			d.unknown(where, join(s.key, name), known)
		case isNull(entry.Value):
		case child.secret() && lastName(child.key) != name:
			d.secretFile(child, where, entry.Value)
		default:
			d.remember(child.key, where)
			d.set(child, entry.Value)
		}
		seen[name] = true
	}
}

// find returns the setting of that name, or the secret whose file the name is, or the zero setting.
func find(known []setting, name string) setting {
	for _, s := range known {
		if last := lastName(s.key); last == name || s.secret() && last+"_file" == name {
			return s
		}
	}
	return setting{}
}

func (d document) list(s setting, node *ast.SequenceNode) {
	if s.value.Kind() != reflect.Slice {
		d.mismatch(s, node, "a list")
		return
	}
	items := reflect.MakeSlice(s.value.Type(), len(node.Values), len(node.Values))
	for i, value := range node.Values {
		item := setting{key: fmt.Sprintf("%s[%d]", s.key, i), value: items.Index(i), field: s.field}
		d.remember(item.key, d.at(value))
		if isNull(value) {
			d.mismatch(item, value, "nothing")
			continue
		}
		d.set(item, value)
	}
	s.value.Set(items)
}

func (d document) scalar(s setting, node ast.Node) {
	var text string
	fits := false
	switch n := node.(type) {
	case *ast.StringNode:
		text, fits = n.Value, s.takesStrings()
	case *ast.LiteralNode:
		text, fits = n.Value.Value, s.takesStrings()
	case *ast.IntegerNode:
		text, fits = n.Token.Value, s.value.Kind() == reflect.Int
	case *ast.BoolNode:
		text, fits = n.Token.Value, s.value.Kind() == reflect.Bool
	}
	if !fits {
		d.mismatch(s, node, describe(node))
		return
	}
	d.text(s, node, text)
}

func (d document) text(s setting, node ast.Node, text string) {
	d.remember(s.key, d.at(node))
	if err := setText(s.value, text); err != nil {
		d.fault(d.at(node), s.key, err.Error())
	}
}

// takesStrings reports whether the value is written as a string in YAML.
func (s setting) takesStrings() bool {
	switch s.value.Kind() {
	case reflect.Bool, reflect.Int, reflect.Slice:
		return false
	}
	return !s.section()
}

func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
