package evaluator

// timeArgument reads a timestamp string, a relative time or a property.
func (d *decoder) timeArgument(path string, v Value) Argument {
	text := v
	switch v.Kind() {
	case KindString:
		if arg, ok := d.dynamic(path, v); ok {
			return arg
		}
		if offset, ok := relativeOffset(v.Text()); ok {
			return Argument{Kind: ArgumentRelative, Offset: offset}
		}
	case KindObject:
		literal, is := d.literal(path, v)
		if !is {
			arg, ok := d.relativeObject(path, v)
			if !ok {
				d.fault(path, `this is no relative time such as {"value": 7, "unit": "days", "modifier": "ago"}: the value a whole number `+
					"of up to 9 digits, the unit minutes, hours, days or weeks, the modifier ago or from_now")
			}
			return arg
		}
		if text = literal; text.IsNull() {
			return Argument{} // told already
		}
	}
	instant, ok := TimestampString(text.Text())
	if !ok {
		d.fault(path, "%s is no time: give 2026-01-02T03:04:05Z, 2026-01-02, a property as recipient.name, or a relative time; %s",
			shown(text), relativeHint)
	}
	return constant(TimestampValue(instant))
}

// pair returns the two ends of a between, or false after saying that they are not two.
func (d *decoder) pair(path string, v Value, op Operator) (list Value, held, ok bool) {
	list, held = d.heldList(path, v)
	if len(list.Items()) != 2 {
		d.fault(path, "%s takes a list of two ends, [from, to]; this is %s", op, pairDescribed(list))
		return list, held, false
	}
	return list, held, true
}

func pairDescribed(v Value) string {
	if v.Kind() == KindList {
		return "a list of another length"
	}
	return described(v)
}

func (d *decoder) ends(path string, v Value, op Operator, read func(path string, v Value) Argument) (*[2]Argument, bool) {
	list, held, ok := d.pair(path, v, op)
	if !ok {
		return nil, false
	}
	if held {
		d.within = path
		defer func() { d.within = "" }()
	}
	before := len(d.faults)
	var ends [2]Argument
	for i, item := range list.Items() {
		ends[i] = read(indexPath(path, i), item)
		ends[i].written = item
	}
	return &ends, len(d.faults) == before
}

func (d *decoder) rangeArgument(path string, v Value, op Operator) Argument {
	ends, ok := d.ends(path, v, op, func(path string, v Value) Argument { return d.orderArgument(path, v, op) })
	if !ok || ends[0].Kind != ArgumentConstant || ends[1].Kind != ArgumentConstant {
		return Argument{Kind: ArgumentBetween, Ends: ends}
	}
	low, high := ends[0].Value, ends[1].Value
	if low.OrderKind() != high.OrderKind() {
		d.fault(path, "both ends are numbers, or both are times, or both are other text: %s and %s are not of one kind", shown(low), shown(high))
	} else if c, ok := Order(low, high); ok && c > 0 {
		d.warn(path, "nothing lies between %s and %s", shown(low), shown(high))
	}
	return Argument{Kind: ArgumentBetween, Ends: ends}
}

func (d *decoder) timeRangeArgument(path string, v Value, op Operator) Argument {
	ends, ok := d.ends(path, v, op, d.timeArgument)
	if ok && backwards(&ends[0], &ends[1]) {
		d.warn(path, "nothing lies between %s and %s", shown(ends[0].written), shown(ends[1].written))
	}
	return Argument{Kind: ArgumentBetween, Ends: ends}
}

// backwards reports whether from lies after to whatever the time.
func backwards(from, to *Argument) bool {
	switch {
	case from.Kind != to.Kind:
		return false
	case from.Kind == ArgumentRelative:
		return from.Offset > to.Offset
	case from.Kind == ArgumentConstant:
		a, _ := from.Value.Moment()
		b, _ := to.Value.Moment()
		return a.Compare(b) > 0
	}
	return false
}
