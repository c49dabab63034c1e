package session

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"muster/deploy/local/engine/chdb"
)

// Setting is one that a client sent along with a statement.
type Setting struct {
	Name, Value string
	// Optional ones are ignored when the engine does not know them.
	Optional bool
}

var settingForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// Apply makes the settings those of the next statement; what came with the last one and does not come again is reset.
// Since a client sends the same ones all the time, usually nothing is to be done.
func (s *Session) Apply(settings []Setting) error {
	want := make(map[string]string, len(settings))
	optional := map[string]bool{}
	for _, set := range settings {
		switch {
		case set.Name == "log_comment": // the session's mark; nothing here would show the client's
		case !settingForm.MatchString(set.Name):
			return &chdb.Error{Code: codeUnknownSetting, Name: "UNKNOWN_SETTING", Text: fmt.Sprintf("Unknown setting %q", set.Name)}
		default:
			want[set.Name], optional[set.Name] = set.Value, set.Optional
		}
	}
	resets, sets := s.changes(want)
	if len(resets)+len(sets) == 0 {
		return nil
	}
	var changes []string
	for _, name := range resets {
		changes = append(changes, name+" = DEFAULT")
	}
	for _, name := range sets {
		changes = append(changes, name+" = "+Literal(want[name]))
	}
	if _, err := s.Query("SET "+strings.Join(changes, ", "), "Null"); err != nil {
		return s.applyEach(resets, sets, want, optional)
	}
	s.applied, s.stale = want, false
	return nil
}

// changes names what is to be reset and set to get from the settings of the last statement to those wanted.
func (s *Session) changes(want map[string]string) (resets, sets []string) {
	for _, name := range slices.Sorted(maps.Keys(s.applied)) {
		if _, again := want[name]; !again {
			resets = append(resets, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, set := s.applied[name]; !set || value != want[name] || s.stale {
			sets = append(sets, name)
		}
	}
	return resets, sets
}

// applyEach does one by one what failed together, to find the one to blame and to pass over those that may be unknown.
func (s *Session) applyEach(resets, sets []string, want map[string]string, optional map[string]bool) error {
	for _, name := range resets {
		if _, err := s.Query("SET "+name+" = DEFAULT", "Null"); err != nil {
			return err
		}
		delete(s.applied, name)
	}
	for _, name := range sets {
		_, err := s.Query("SET "+name+" = "+Literal(want[name]), "Null")
		switch {
		case err == nil:
			s.applied[name] = want[name]
		case optional[name] && isCode(err, codeUnknownSetting):
		default:
			s.stale = true
			return err
		}
	}
	s.stale = false
	return nil
}

// Literal is s as a string of ClickHouse's SQL.
func Literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Identifier is s as a quoted name of ClickHouse's SQL.
func Identifier(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}
