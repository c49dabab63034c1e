package evaluator

import (
	"errors"
	"strings"
)

// Path is the way to a property of a user: the steps behind "recipient". The first names a column or a property, each
// further one a key of an object or an index of a list. It is never empty.
type Path []string

const pathHint = `a property is written recipient.name, recipient.address.city or recipient["any key"].city`

var errPath = errors.New(pathHint)

// ParsePath reads recipient.<path> or user.<path>.
func ParsePath(s string) (Path, error) {
	for _, root := range [...]string{"recipient", "user"} {
		if rest, ok := strings.CutPrefix(s, root); ok {
			return parseSteps(rest)
		}
	}
	return nil, errPath
}

func parseSteps(s string) (Path, error) {
	var path Path
	for s != "" {
		step, rest, ok := parseStep(s)
		if !ok {
			return nil, errPath
		}
		path = append(path, step)
		s = rest
	}
	if path == nil {
		return nil, errPath
	}
	return path, nil
}

func parseStep(s string) (step, rest string, ok bool) {
	if strings.HasPrefix(s, `["`) {
		p := jsonParser{text: s, pos: 1}
		step, err := p.string()
		if err != nil || p.pos == len(s) || s[p.pos] != ']' {
			return "", "", false
		}
		return step, s[p.pos+1:], true
	}
	if s[0] != '.' {
		return "", "", false
	}
	end := 1
	for end < len(s) && s[end] != '.' && s[end] != '[' {
		end++
	}
	return s[1:end], s[end:], isName(s[1:end])
}

// isName reports whether a step can be written without brackets.
func isName(s string) bool { return s != "" && !strings.ContainsAny(s, ".[]\"{} \t\r\n") }

// String is the one canonical spelling of the path.
func (p Path) String() string { return string(p.append([]byte("recipient"))) }

// Name is the path without its root: what a property is called in an event.
func (p Path) Name() string { return strings.TrimPrefix(string(p.append(nil)), ".") }

func (p Path) append(dst []byte) []byte {
	for _, step := range p {
		if isName(step) {
			dst = append(append(dst, '.'), step...)
		} else {
			dst = append(appendQuoted(append(dst, '['), step), ']')
		}
	}
	return dst
}

// dynamicPath reads the argument that takes its value from a property: recipient.<path> or {{ recipient.<path> }}. Seems
// reports that s is meant so, whether it parses or not.
func dynamicPath(s string) (path Path, seems bool, err error) {
	if strings.HasPrefix(s, "recipient.") || strings.HasPrefix(s, "recipient[") {
		path, err = parseSteps(strings.TrimPrefix(s, "recipient"))
		return path, true, err
	}
	if !strings.Contains(s, "{{") {
		return nil, false, nil
	}
	inner, opened := strings.CutPrefix(s, "{{")
	inner, closed := strings.CutSuffix(inner, "}}")
	steps, rooted := strings.CutPrefix(strings.Trim(inner, " \t\r\n"), "recipient")
	if !opened || !closed || !rooted {
		return nil, true, errPath
	}
	path, err = parseSteps(steps)
	return path, true, err
}
