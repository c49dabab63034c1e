package where

import (
	"fmt"
	"strings"

	"muster/evaluator"
)

// terms joins conditions that may be NULL, leaving out those that are "".
func terms(operator string, conditions ...string) string {
	kept := conditions[:0]
	for _, c := range conditions {
		if c != "" {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return "false"
	}
	return "(" + strings.Join(kept, " "+operator+" ") + ")"
}

// compared is a comparison of two views, or "" when one of them is known to be NULL.
func compared(a, operator, b string) string {
	if a == "" || b == "" {
		return ""
	}
	return a + " " + operator + " " + b
}

// equal is equal_to.
func equal(a, b operand) string {
	text := func(boolean string) string {
		if boolean == "" {
			return ""
		}
		return "(" + boolean + ")::text" // true or false
	}
	return terms("OR",
		and(a.null, b.null),
		and(a.null, compared(b.text, "=", "''")),
		and(b.null, compared(a.text, "=", "''")),
		compared(a.boolean, "=", b.boolean),
		compared(a.number, "=", b.number),
		compared(a.text, "=", b.text),
		compared(a.time, "=", b.time),
		compared(a.list, "=", b.list),
		compared(a.object, "=", b.object),
		compared(text(a.boolean), "=", b.text),
		compared(a.text, "=", text(b.boolean)),
		compared(a.number, "=", call("numeric_string", b.text)),
		compared(call("numeric_string", a.text), "=", b.number),
		compared(a.time, "=", call("timestamp_string", b.text)),
		compared(call("timestamp_string", a.text), "=", b.time),
	)
}

// and is a AND b, or "" when either is or is known to be false.
func and(a, b string) string {
	switch {
	case a == "" || b == "" || a == "false" || b == "false":
		return ""
	case a == "true":
		return b
	case b == "true":
		return a
	}
	return "(" + a + " AND " + b + ")"
}

// order compares a property with an argument by <, <=, > or >=. The argument's kind decides.
func order(operator string, p, a operand) string {
	var cases string
	add := func(decides, comparison string) {
		if decides != "" {
			cases += " WHEN " + decides + " IS NOT NULL THEN " + orFalse(comparison)
		}
	}
	number, instant := a.numeric(), a.instant()
	add(number, and(compared(p.numeric(), operator, number),
		and(compared(p.numeric(), "<>", "'NaN'"), compared(number, "<>", "'NaN'"))))
	add(instant, compared(p.instant(), operator, instant))
	add(a.text, compared(p.text, operator, collated(a.text)))
	if cases == "" {
		return "false"
	}
	return "CASE" + cases + " END"
}

// collated orders text by its bytes.
func collated(text string) string { return text + ` COLLATE "C"` }

func orFalse(condition string) string {
	if condition == "" {
		return "false"
	}
	return condition
}

// contains is contains.
func contains(p, a operand) string {
	var cases string
	add := func(list, condition string) {
		if list != "" {
			cases += " WHEN " + list + " IS NOT NULL THEN " + condition
		}
	}
	if a.list != "" && p.list != "" {
		cases += fmt.Sprintf(" WHEN %s IS NOT NULL AND %s IS NOT NULL THEN %s", a.list, p.list,
			exists(p, "i", func(i operand) string { return exists(a, "k", func(k operand) string { return equal(i, k) }) }))
	}
	if a.list != "" {
		cases += fmt.Sprintf(" WHEN %s IS NOT NULL THEN NOT %s AND %s", a.list, isObject(p),
			exists(a, "k", func(k operand) string { return equal(k, p) }))
	}
	add(p.list, exists(p, "i", func(i operand) string { return equal(i, a) }))
	found := "false"
	if p.text != "" && a.text != "" {
		found = "strpos(" + p.text + ", " + a.text + ") > 0"
	}
	return fmt.Sprintf("CASE WHEN %s THEN false%s ELSE %s END", p.null, cases, found)
}

func isObject(o operand) string {
	if o.object == "" {
		return "false"
	}
	return "(" + o.object + ") IS NOT NULL"
}

// containsAll is contains_all.
func containsAll(p, a operand) string {
	if p.list == "" || a.list == "" {
		return "false"
	}
	lacks := exists(a, "k", func(k operand) string {
		return "NOT " + exists(p, "i", func(i operand) string { return equal(i, k) })
	})
	return fmt.Sprintf("(%s) IS NOT NULL AND (%s) IS NOT NULL AND NOT %s", p.list, a.list, lacks)
}

// equalAny is equal_to_any.
func equalAny(p, a operand) string {
	return exists(a, "k", func(k operand) string { return equal(p, k) })
}

// exists asks whether a condition holds for an item of a list.
func exists(list operand, name string, holds func(item operand) string) string {
	if list.list == "" {
		return "false"
	}
	from, item := list.items(name)
	return fmt.Sprintf("EXISTS (SELECT FROM %s WHERE %s)", from, holds(item))
}

// affix is starts_with and ends_with.
func affix(op evaluator.Operator, p, a operand) string {
	switch {
	case p.text == "" || a.text == "":
		return "false"
	case op == evaluator.OpStartsWith:
		return fmt.Sprintf("starts_with(%s, %s)", p.text, a.text)
	}
	return fmt.Sprintf("right(%s, length(%s)) = %[2]s", p.text, a.text)
}

// empty is empty.
func empty(p operand) string {
	return terms("OR", p.null, compared(p.text, "=", "''"), compared(p.list, "=", "'[]'"), compared(p.object, "=", "'{}'"))
}
