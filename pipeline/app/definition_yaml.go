package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// yamlToJSON turns a definition written as YAML into the JSON it stands for. Numbers stay as they are written, to the last
// digit, and a key that is given twice stays so: the decoder has something to say about either. What JSON has no word for
// is an error with line and column.
func yamlToJSON(text []byte) ([]byte, error) {
	// the library counts a CR LF as two lines in places, and takes a byte order mark for a part of the first key
	text = bytes.ReplaceAll(bytes.TrimPrefix(text, []byte("\uFEFF")), []byte("\r\n"), []byte("\n"))
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var e yaml.Error
		if errors.As(err, &e) && e.GetToken() != nil {
			at := e.GetToken().Position
			return nil, fmt.Errorf("line %d, column %d: not valid YAML: %s", at.Line, at.Column, e.GetMessage())
		}
		return nil, fmt.Errorf("not valid YAML: %w", err)
	}
	var body ast.Node
	for _, document := range file.Docs {
		switch {
		case document.Body == nil || document.Body.Type() == ast.CommentType:
		case body != nil:
			return nil, misplaced(document.Body, "a second document begins here; a file holds one")
		default:
			body = document.Body
		}
	}
	if body == nil {
		return nil, errors.New("the file is empty")
	}
	return appendNode(nil, body)
}

func misplaced(node ast.Node, format string, args ...any) error {
	at := node.GetToken().Position
	return fmt.Errorf("line %d, column %d: %s", at.Line, at.Column, fmt.Sprintf(format, args...))
}

func appendNode(dst []byte, node ast.Node) ([]byte, error) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return appendMapping(dst, n.Values)
	case *ast.MappingValueNode:
		return appendMapping(dst, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		dst = append(dst, '[')
		for i, item := range n.Values {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendNode(dst, item); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case *ast.StringNode:
		if n.Token.Type == token.StringType && isNumber(n.Value) { // the library takes only what a float64 holds for a number
			return append(dst, n.Value...), nil
		}
		return appendText(dst, n.Value), nil
	case *ast.LiteralNode:
		return appendText(dst, n.Value.Value), nil
	case *ast.BoolNode:
		return fmt.Append(dst, n.Value), nil
	case *ast.NullNode, nil:
		return append(dst, "null"...), nil
	case *ast.IntegerNode, *ast.FloatNode:
		text := strings.TrimSpace(node.GetToken().Value)
		if !isNumber(text) {
			return nil, misplaced(node, "write the number %s as JSON has it, or put it in quotes", text)
		}
		return append(dst, text...), nil
	}
	return nil, misplaced(node, "anchors, aliases, tags, .inf and .nan are not read here; write the value itself")
}

// isNumber reports whether JSON has the text for a number.
func isNumber(text string) bool {
	return text != "" && strings.ContainsAny(text[:1], "-0123456789") && json.Valid([]byte(text))
}

func appendMapping(dst []byte, entries []*ast.MappingValueNode) ([]byte, error) {
	dst = append(dst, '{')
	for i, entry := range entries {
		key, ok := entry.Key.(*ast.StringNode)
		if !ok {
			return nil, misplaced(entry.Key, "a key is a string; put it in quotes")
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, key.Value), ':')
		var err error
		if dst, err = appendNode(dst, entry.Value); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendText(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		panic(err)
	}
	return append(dst, quoted...)
}
