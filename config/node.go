package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// mismatch records a value of the wrong type. It names the type that was found and not the value, which may be a secret.
func (d document) mismatch(s setting, node ast.Node, found string) {
	message := fmt.Sprintf("must be %s, not %s", expectation(s.value.Type()), found)
	if _, scalar := node.(ast.ScalarNode); scalar && !isNull(node) && typeName(s.value.Type()) != "duration" && s.takesStrings() {
		message += "; put it in quotes"
	}
	d.fault(d.at(node), s.key, message)
}

func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "a string"
	case *ast.IntegerNode:
		return "a number"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number with a fraction"
	case *ast.BoolNode:
		return "true or false"
	}
	return "what is written here"
}

func isNull(node ast.Node) bool {
	_, null := node.(*ast.NullNode)
	return null || node == nil
}

func keyName(key ast.MapKeyNode) (string, bool) {
	if n, ok := key.(*ast.StringNode); ok {
		return n.Value, true
	}
	return "", false
}

func (d document) at(node ast.Node) Origin {
	if node == nil {
		return d.place
	}
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		node = m.Values[0].Key // its own token is the first colon
	}
	return d.position(node.GetToken())
}

func (d document) position(t *token.Token) Origin {
	where := d.place
	if t != nil && t.Position != nil {
		where.Line, where.Column = t.Position.Line, t.Position.Column
	}
	return where
}
