package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// variables applies the MUSTER_ variables of environ, KEY=value each. An empty variable counts as not set, because that
// is what `${NAME:-}` in a compose file leaves behind.
func (l *loader) variables(environ []string) {
	given := make(map[string]string)
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "MUSTER_") && value != "" {
			given[name] = value
		}
	}
	for _, s := range leaves(l.config) {
		name := s.variable()
		if text, ok := given[name]; ok {
			l.variable(s, name, text)
			delete(given, name)
		}
		if !s.secret() {
			continue
		}
		if path, ok := given[name+"_FILE"]; ok {
			l.variableFile(s, name+"_FILE", path, l.config.origins[s.key].Variable == name)
			delete(given, name+"_FILE")
		}
	}
	l.unknownVariables(given)
}

func (l *loader) variable(s setting, name, text string) {
	where := Origin{Variable: name}
	l.override(s.key, where)
	if s.value.Kind() == reflect.Slice && s.value.Type() != reflect.TypeFor[[]string]() {
		document{loader: l, place: where}.read([]byte(text), s)
		return
	}
	if err := setText(s.value, text); err != nil {
		l.fault(where, s.key, err.Error())
	} else if s.path() {
		l.resolved[s.key] = true // relative to the working folder, as paths in a shell are
	}
}

func (l *loader) variableFile(s setting, name, path string, both bool) {
	where := Origin{Variable: name}
	if both {
		l.fault(where, s.key, "is given beside "+s.variable()+"; keep one of the two")
		return
	}
	l.override(s.key, where)
	l.files[s.key] = secretFile{setting: s, path: path, origin: where}
}

// serviceLink matches the variables that Kubernetes and Docker put into a container for every service beside it. A
// service named muster-kafka makes MUSTER_KAFKA_SERVICE_HOST, and that is nobody's mistake.
var serviceLink = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?)$`)

// unknownVariables refuses what looks like a setting and is none: a variable of one of the sections, or a misspelling of
// a known one. Others with the prefix belong to somebody else, such as the local stack.
func (l *loader) unknownVariables(given map[string]string) {
	var known []string
	sections := make(map[string]bool)
	for _, s := range leaves(l.config) {
		known = append(known, s.variable())
		if s.secret() {
			known = append(known, s.variable()+"_FILE")
		}
		if section, _, nested := strings.Cut(s.key, "."); nested {
			sections[strings.ToUpper(section)] = true
		}
	}
	for name := range given {
		section, _, _ := strings.Cut(strings.TrimPrefix(name, "MUSTER_"), "_")
		if !sections[section] || serviceLink.MatchString(name) {
			continue
		}
		message := "is no setting; REFERENCE.md lists the variables"
		if near := nearest(name, known); near != "" {
			message = "is no setting; did you mean " + near + "?"
		}
		l.fault(Origin{Variable: name}, "", message)
	}
}

// unknown records a key that does not exist, with the one that was probably meant.
func (l *loader) unknown(where Origin, key string, known []setting) {
	name := lastName(key)
	var siblings []string
	for _, s := range known {
		siblings = append(siblings, lastName(s.key))
		if s.secret() {
			siblings = append(siblings, lastName(s.key)+"_file")
		}
	}
	if near := nearest(name, siblings); near != "" {
		l.fault(where, key, "unknown key; did you mean "+near+"?")
		return
	}
	var elsewhere []string
	for _, s := range leaves(l.config) {
		if lastName(s.key) == name {
			elsewhere = append(elsewhere, s.key)
		}
	}
	if len(elsewhere) == 1 {
		l.fault(where, key, "unknown key; did you mean "+elsewhere[0]+"?")
		return
	}
	slices.Sort(siblings)
	l.fault(where, key, "unknown key; known here: "+strings.Join(siblings, ", "))
}
