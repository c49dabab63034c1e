package evaluator

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

func (d *decoder) patternArgument(path string, v Value, c *Condition) Argument {
	if text, is := d.literal(path, v); is {
		if v = text; v.IsNull() {
			return Argument{} // told already
		}
	} else if p, seems, err := dynamicPath(v.Text()); seems && err == nil {
		d.warn(path, "a pattern is never taken from a property: this one looks for the text %s", shown(StringValue(p.String())))
	}
	if v.Kind() != KindString {
		d.fault(path, "%s takes a pattern, a string; this is %s", c.Operator, described(v))
		return Argument{}
	}
	if n := utf8.RuneCountInString(v.Text()); n > MaxPattern {
		d.fault(path, "a pattern has at most %d characters, this one %d", MaxPattern, n)
		return Argument{}
	}
	return Argument{Kind: ArgumentPattern, Pattern: d.pattern(path, v.Text(), c.IgnoreCase)}
}

// pattern compiles a pattern whose program is of bounded size. Matching takes time proportional to the program and to the
// text, and a thousand characters can make a program of a million instructions: (?:...){1000}.
func (d *decoder) pattern(path, pattern string, ignoreCase bool) *regexp.Regexp {
	if d.program > MaxPrograms {
		return nil // told already; compiling more of them would take its time for nothing
	}
	if ignoreCase {
		pattern = "(?i)" + pattern
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		d.fault(path, "not a pattern of RE2: %v", err)
		return nil
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		d.fault(path, "not a pattern of RE2: %v", err)
		return nil
	}
	size := len(program.Inst)
	switch d.program += size; {
	case size > MaxProgram:
		d.fault(path, "the pattern repeats too much: it compiles to %d instructions, more than %d", size, MaxProgram)
		return nil
	case d.program > MaxPrograms:
		d.fault(path, "the patterns of the definition up to this one compile to %d instructions, more than %d", d.program, MaxPrograms)
		return nil
	}
	return regexp.MustCompile(pattern)
}
