package evaluator

// conditionList reads the conditions of a segment or of a group, of which there is at least one.
func (d *decoder) conditionList(path string, v Value, what string, depth int) []Condition {
	if v.Kind() != KindList || len(v.Items()) == 0 {
		d.fault(path, "%s has a list of at least one condition", what)
		return nil
	}
	conditions := make([]Condition, len(v.Items()))
	for i, item := range v.Items() {
		if d.conditions == MaxConditions {
			d.fault(indexPath(path, i), "a definition has at most %d conditions and groups", MaxConditions)
			d.conditions++ // say it once
		}
		if d.conditions > MaxConditions {
			return nil
		}
		conditions[i] = d.condition(indexPath(path, i), item, depth)
	}
	return conditions
}

// condition reads a leaf or a group that lies in depth groups.
func (d *decoder) condition(path string, v Value, depth int) Condition {
	d.conditions++
	if v.Kind() != KindObject {
		d.fault(path, "a condition is an object, this is a %s", v.Kind())
		return Condition{}
	}
	var groups []Group
	for _, g := range [...]Group{All, Any, Not} {
		if _, ok := v.Member(g.String()); ok {
			groups = append(groups, g)
		}
	}
	switch {
	case len(groups) == 0:
		return d.leaf(path, v)
	case depth == MaxDepth:
		d.fault(path, "groups nest at most %d deep", MaxDepth)
		return Condition{}
	case len(groups) > 1:
		d.fault(keyPath(path, groups[1].String()), "a group has one of all, any and not; write one group inside the other")
	}
	d.only(path, v, "a group", "all", "any", "not")
	var c Condition
	for _, g := range groups { // more than one is a fault by now, and their own faults are told all the same
		c = d.group(path, g, v, depth+1)
	}
	return c
}

func (d *decoder) group(path string, g Group, v Value, depth int) Condition {
	inner, _ := v.Member(g.String())
	c := Condition{At: path, Group: g}
	path = keyPath(path, g.String())
	if g == Not {
		if inner.Kind() != KindObject {
			d.fault(path, "not has one condition, an object")
			return c
		}
		c.Conditions = []Condition{d.condition(path, inner, depth)}
		return c
	}
	c.Conditions = d.conditionList(path, inner, "a group", depth)
	return c
}

func (d *decoder) leaf(path string, v Value) Condition {
	d.only(path, v, "a condition", "property", "variable", "operator", "argument", "ignore_case", "all", "any", "not")
	c := Condition{At: path}
	known := d.operator(path, v, &c)
	d.property(path, v, &c, known && c.Operator.ReadsProperty())
	if known {
		d.ignoreCase(path, v, &c)
		written, _ := v.Member("argument")
		c.Argument = d.argument(keyPath(path, "argument"), written, &c)
		c.Argument.written = written
	}
	return c
}

func (d *decoder) operator(path string, v Value, c *Condition) bool {
	given, ok := v.Member("operator")
	path = keyPath(path, "operator")
	if !ok {
		d.fault(path, "the operator is missing")
		return false
	}
	c.Operator, ok = ParseOperator(given.Text())
	if !ok {
		d.fault(path, "unknown operator %s", shown(given))
	}
	return ok
}

func (d *decoder) property(path string, v Value, c *Condition, required bool) {
	given, _ := v.Member("property")
	variable, _ := v.Member("variable")
	name := "property"
	switch {
	case !given.IsNull() && !variable.IsNull():
		d.fault(keyPath(path, "variable"), "variable is another word for property; give one of them")
	case given.IsNull() && variable.IsNull():
		if required {
			d.fault(keyPath(path, name), "the property is missing; %s", pathHint)
		}
		return
	case given.IsNull():
		given, name = variable, "variable"
	}
	var err error
	if c.Property, err = ParsePath(given.Text()); err != nil {
		d.fault(keyPath(path, name), "%s is no property; %s", shown(given), pathHint)
	}
}

func (d *decoder) ignoreCase(path string, v Value, c *Condition) {
	given, ok := v.Member("ignore_case")
	if !ok {
		return
	}
	path = keyPath(path, "ignore_case")
	if !operatorRules[c.Operator].folds {
		d.fault(path, "%s compares nothing that has a case; leave ignore_case out", c.Operator)
	} else if given.Kind() != KindBool {
		d.fault(path, "ignore_case is true or false, not %s", shown(given))
	}
	c.IgnoreCase = given.Bool()
}
