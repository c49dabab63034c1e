package evaluator

const literalHint = `; the plain text is written {"literal": "..."}`

// argument reads the argument of c by the rules of its operator.
func (d *decoder) argument(path string, v Value, c *Condition) Argument {
	switch operatorRules[c.Operator].argument {
	case takesAnything:
		return d.anyArgument(path, v)
	case takesOrder:
		return d.orderArgument(path, v, c.Operator)
	case takesText:
		return d.textArgument(path, v, c.Operator)
	case takesList:
		return d.listArgument(path, v, c.Operator)
	case takesRange:
		return d.rangeArgument(path, v, c.Operator)
	case takesTime:
		return d.timeArgument(path, v)
	case takesTimeRange:
		return d.timeRangeArgument(path, v, c.Operator)
	case takesPattern:
		return d.patternArgument(path, v, c)
	case takesAudience:
		return d.audienceArgument(path, v)
	case takesSample:
		return d.sampleArgument(path, v)
	}
	if !v.IsNull() {
		d.fault(path, "%s takes no argument", c.Operator)
	}
	return Argument{Kind: ArgumentNone}
}

func constant(v Value) Argument { return Argument{Kind: ArgumentConstant, Value: v} }

// literal reads {"literal": "text"}. Is reports whether v is meant so; the text of one that is wrong is null.
func (d *decoder) literal(path string, v Value) (text Value, is bool) {
	text, is = v.Member("literal")
	if !is {
		return Value{}, false
	}
	d.only(path, v, "a literal", "literal")
	if text.Kind() != KindString {
		d.fault(keyPath(path, "literal"), "a literal is a string; write the %s itself as the argument", text.Kind())
		text = Value{}
	}
	return text, true
}

// text reads a string that may be dynamic. Relative times are refused: these operators compare with no clock.
func (d *decoder) stringArgument(path string, v Value) Argument {
	arg, ok := d.dynamic(path, v)
	if ok {
		return arg
	}
	if seemsRelative(v) {
		d.fault(path, "%s is a relative time, which only the is_timestamp operators take%s", shown(v), literalHint)
	}
	return constant(v)
}

// dynamic reads a string that takes its value from a property, and reports whether it is meant so.
func (d *decoder) dynamic(path string, v Value) (Argument, bool) {
	p, seems, err := dynamicPath(v.Text())
	if err != nil {
		d.fault(path, "%s looks like a property and is none; an argument that takes its value from one is written "+
			"recipient.name or {{ recipient.name }}%s", shown(v), literalHint)
	}
	return Argument{Kind: ArgumentDynamic, Path: p}, seems
}

func (d *decoder) anyArgument(path string, v Value) Argument {
	switch v.Kind() {
	case KindString:
		return d.stringArgument(path, v)
	case KindList:
		d.scalars(path, v)
	case KindObject:
		if text, is := d.literal(path, v); is {
			return constant(text)
		}
		if seemsRelative(v) {
			d.fault(path, "a relative time is taken by the is_timestamp operators only")
		} else {
			d.fault(path, "an argument is a string, a number, true, false, null, a list of those, or %s", `{"literal": "..."}`)
		}
	}
	return constant(v)
}

// scalars reports what keeps v from being a list of scalars.
func (d *decoder) scalars(path string, v Value) {
	if len(v.Items()) > MaxItems {
		d.fault(path, "a list has at most %d items, this one %d", MaxItems, len(v.Items()))
		return
	}
	for i, item := range v.Items() {
		if !item.IsScalar() {
			d.fault(indexPath(path, i), "an item is a string, a number, true, false or null, this is a %s", item.Kind())
		}
	}
}

func (d *decoder) orderArgument(path string, v Value, op Operator) Argument {
	if v.Kind() == KindNumber {
		return constant(v)
	}
	return d.textArgument(path, v, op)
}

func (d *decoder) textArgument(path string, v Value, op Operator) Argument {
	if v.Kind() == KindString {
		return d.stringArgument(path, v)
	}
	if text, is := d.literal(path, v); is {
		return constant(text)
	}
	takes := "a string"
	if op != OpStartsWith && op != OpEndsWith {
		takes = "a number or a string"
	}
	d.fault(path, "%s compares with %s, or with a property as recipient.name; this is %s", op, takes, described(v))
	return Argument{}
}

// described names a value in a fault: nothing, for an argument that is absent.
func described(v Value) string {
	if v.IsNull() {
		return "null or absent"
	}
	return "a " + v.Kind().String()
}

// heldList returns the list that an argument is, or that its string holds as JSON, for the published clients send only
// strings. Held reports the latter: faults within are then told of the string.
func (d *decoder) heldList(path string, v Value) (list Value, held bool) {
	if v.Kind() != KindString {
		return v, false
	}
	text := jsonParser{text: v.Text()}
	if text.blanks(); text.pos == len(text.text) || text.text[text.pos] != '[' {
		return v, false
	}
	if _, err := ParseJSON(stringBytes(v.Text())); err != nil {
		return v, false
	}
	d.within = path
	list, _ = d.parse(v.Text(), path)
	d.within = ""
	return list, true
}

func (d *decoder) listArgument(path string, v Value, op Operator) Argument {
	list, held := d.heldList(path, v)
	if !held && v.Kind() == KindString {
		if arg, ok := d.dynamic(path, v); ok {
			return arg
		}
	}
	if held {
		d.within = path
		defer func() { d.within = "" }()
	}
	if list.Kind() != KindList || len(list.Items()) == 0 {
		d.fault(path, "%s takes a list of at least one item, or a property as recipient.name; this is %s", op, listDescribed(list))
		return Argument{}
	}
	d.scalars(path, list)
	return constant(list)
}

func listDescribed(v Value) string {
	if v.Kind() == KindList {
		return "an empty list"
	}
	return described(v)
}
