package where

import (
	"fmt"
	"strings"

	"muster/evaluator"
)

// operand is one value in SQL. Each view but null is an expression that is NULL when the value is of another kind, and ""
// when it is known never to be of that kind.
type operand struct {
	null    string // a condition: the value is null or missing
	boolean string // boolean
	number  string // numeric
	text    string // text
	time    string // numeric: seconds since 1970
	list    string // jsonb
	object  string // jsonb

	from string                     // of a list: a FROM item of its items
	item func(value string) operand // of a list: one of them
}

// jsonOperand is the value of a jsonb expression, of any kind.
func jsonOperand(e string) operand {
	return operand{
		null:    "json_null(" + e + ")",
		boolean: "json_boolean(" + e + ")",
		number:  "json_number(" + e + ")",
		text:    "json_text(" + e + ")",
		list:    "json_list(" + e + ")",
		object:  "json_object(" + e + ")",
		from:    "jsonb_array_elements(json_list(" + e + "))",
		item:    jsonOperand,
	}
}

// columnOperand is the value of a column.
func columnOperand(name string, t evaluator.ColumnType) operand {
	c := "u." + identifier(name)
	o := operand{null: c + " IS NULL"}
	switch t.Kind {
	case evaluator.ColumnJSON:
		return jsonOperand(c)
	case evaluator.ColumnBool:
		o.boolean = c
	case evaluator.ColumnNumber:
		o.number = c + "::numeric"
	case evaluator.ColumnTimestamp:
		o.time = "extract(epoch FROM " + c + ")"
	case evaluator.ColumnArray:
		return arrayOperand(c, *t.Element)
	default: // char(n) loses its blanks by the cast
		o.text = c + "::text"
	}
	return o
}

// arrayOperand is an array column of one dimension. Its items are of the element's type; as a whole it is a document.
func arrayOperand(c string, element evaluator.ColumnType) operand {
	o := operand{null: c + " IS NULL", list: "to_jsonb(" + c + ")", from: "unnest(" + c + ")"}
	if element.Kind != evaluator.ColumnTimestamp {
		o.item = func(v string) operand { return operand{null: v + " IS NULL", text: v} }
		return o
	}
	o.item = func(v string) operand { return operand{null: v + " IS NULL", time: "extract(epoch FROM " + v + ")"} }
	o.list = fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN coalesce((SELECT jsonb_agg(CASE WHEN t IS NOT NULL THEN "+
		"jsonb_build_object('timestamp of an array', t::text) END) FROM unnest(%[1]s) AS t), '[]') END", c)
	return o
}

// constant is a value of a definition.
func constant(v evaluator.Value) operand {
	o := operand{null: "false"}
	switch v.Kind() {
	case evaluator.KindNull:
		o.null = "true"
	case evaluator.KindBool:
		o.boolean = v.String()
	case evaluator.KindNumber:
		o.number = literal(v.String()) + "::numeric"
	case evaluator.KindString:
		o.text = literal(v.Text()) + "::text"
	case evaluator.KindList:
		o.list = literal(v.String()) + "::jsonb"
		o.from, o.item = "jsonb_array_elements("+o.list+")", jsonOperand
	case evaluator.KindObject:
		o.object = literal(v.String()) + "::jsonb"
	}
	return o
}

// items is the FROM item of a list's items under a name, and one of them.
func (o operand) items(name string) (from string, item operand) {
	return o.from + " AS " + name + "(v)", o.item(name + ".v")
}

// numeric is the number of a number or a numeric string.
func (o operand) numeric() string { return either(o.number, call("numeric_string", o.text)) }

// instant is the time of a timestamp or a timestamp string.
func (o operand) instant() string { return either(o.time, call("timestamp_string", o.text)) }

// either is the first of two views that is not NULL.
func either(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return "coalesce(" + a + ", " + b + ")"
}

// call is a function of a view, or "" when there is none.
func call(function, view string) string {
	if view == "" {
		return ""
	}
	return function + "(" + view + ")"
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
