package app

import (
	"strings"

	"muster/config"
	"muster/evaluator"
)

// masked are the properties whose values are not shown (http.mask), as people write them: email, address.street.
type masked struct {
	names    []string
	document string // the column whose keys are properties
}

func maskOf(c *config.Config) masked {
	m := masked{document: c.Postgres.Users.Properties}
	for _, name := range c.HTTP.Mask {
		name = strings.TrimSpace(name)
		m.names = append(m.names, strings.TrimPrefix(strings.TrimPrefix(name, "recipient."), "user."))
	}
	return m
}

// hides reports whether the property, or one that it lies in or that lies in it, is masked. The way through the document
// that holds it leads to the same property.
func (m masked) hides(path evaluator.Path) bool {
	if len(m.names) == 0 {
		return false
	}
	if m.document != "" && path[0] == m.document {
		return len(path) == 1 || m.hidesName(path[1:].Name()) || m.hidesName(path.Name())
	}
	return m.hidesName(path.Name())
}

func (m masked) hidesName(name string) bool {
	for _, hidden := range m.names {
		if name == hidden || lies(name, hidden) || lies(hidden, name) {
			return true
		}
	}
	return false
}

// lies reports whether one property lies within another.
func lies(inner, outer string) bool {
	rest, ok := strings.CutPrefix(inner, outer)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}
