package config

import (
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// plainColon undoes a reading of the YAML library that the specification does not share: within braces it takes the
// colon of a plain host:port, as in {brokers: [localhost:9092]}, for the delimiter of a mapping. A colon that no blank
// follows is none, so key and value are put together again.
func plainColon(node ast.Node) (string, bool) {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) == 1 {
		node = m.Values[0]
	}
	entry, ok := node.(*ast.MappingValueNode)
	if !ok || entry.Start == nil || entry.Key == nil || entry.Value == nil {
		return "", false
	}
	key, colon, value := entry.Key.GetToken(), entry.Start, entry.Value.GetToken()
	if !plain(key) || !plain(value) || !adjacent(key, utf8.RuneCountInString(key.Value), colon) ||
		!adjacent(colon, 1, value) {
		return "", false
	}
	return key.Value + ":" + value.Value, true
}

// plain reports whether the token is a scalar without quotes.
func plain(t *token.Token) bool {
	return t != nil && t.Position != nil && t.CharacterType == token.CharacterTypeMiscellaneous
}

// adjacent reports whether b begins where a, of that many characters, ends.
func adjacent(a *token.Token, width int, b *token.Token) bool {
	return b.Position != nil && a.Position.Line == b.Position.Line && a.Position.Column+width == b.Position.Column
}
