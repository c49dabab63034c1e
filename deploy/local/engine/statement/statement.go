package statement

import (
	"errors"
	"strings"
)

// Kind is how a statement is run.
type Kind int

const (
	Exec   Kind = iota // runs and is done: DDL, SET, INSERT SELECT
	Rows               // returns rows
	Insert             // takes data, in the text or after it
)

// Statement is what the text says.
type Statement struct {
	Kind Kind
	// Text is the statement without its FORMAT clause and closing semicolon: of an Insert, all before the data.
	Text string
	// Format is the format the text names, "" if none. An Insert with VALUES has the format Values.
	Format string
	// Verb is the first keyword, in upper case.
	Verb string
	// Target and Columns are of an Insert: the table or table function, and what stands in the parentheses after it.
	Target, Columns string
	// Data is what follows the FORMAT clause or VALUES of an Insert in the same text.
	Data string
	// Inline says that Data holds more than blanks and comments.
	Inline bool
}

// Streams reports whether the engine can hand out the result block by block. Others (SHOW, DESCRIBE ...) are small.
func (s Statement) Streams() bool {
	return s.Kind == Rows && (s.Verb == "SELECT" || s.Verb == "WITH" || s.Verb == "FROM" || s.Verb == "(")
}

// ErrSeveral says that the text holds more than one statement.
var ErrSeveral = errors.New("multi-statements are not allowed")

// rowVerbs begin statements that return rows.
var rowVerbs = map[string]bool{
	"SELECT": true, "WITH": true, "FROM": true, "SHOW": true, "DESCRIBE": true, "DESC": true, "EXISTS": true, "EXPLAIN": true, "CHECK": true, "(": true,
}

// Parse reads the text of one statement.
func Parse(text string) (Statement, error) {
	s := scanner{text: text}
	first, ok := s.next()
	if !ok {
		return Statement{Kind: Exec, Text: text}, nil
	}
	verb := strings.ToUpper(first.text)
	if verb == "INSERT" {
		return parseInsert(text, &s)
	}
	out := Statement{Kind: Exec, Verb: verb}
	if rowVerbs[verb] {
		out.Kind = Rows
	}
	end, tokens, err := tail(text, &s)
	if err != nil {
		return Statement{}, err
	}
	out.Text, out.Format = cutFormat(text[:end], tokens)
	return out, nil
}

// tail reads on to the end of the statement and returns where it ends and its tokens.
func tail(text string, s *scanner) (end int, tokens []token, err error) {
	end = len(text)
	for {
		t, ok := s.next()
		if !ok {
			return end, tokens, nil
		}
		if t.kind == symbol && t.text == ";" && t.depth == 0 {
			for next, more := s.next(); more; next, more = s.next() {
				if next.text != ";" {
					return 0, nil, ErrSeveral
				}
			}
			return t.start, tokens, nil
		}
		tokens = append(tokens, t)
	}
}

// cutFormat takes a FORMAT clause away. It is the last of a statement, but for SETTINGS.
func cutFormat(text string, tokens []token) (rest, format string) {
	for i := len(tokens) - 2; i >= 0; i-- {
		if !tokens[i].is("FORMAT") || tokens[i+1].kind != word {
			continue
		}
		if i+2 == len(tokens) || tokens[i+2].is("SETTINGS") {
			return text[:tokens[i].start] + text[tokens[i+1].end:], tokens[i+1].text
		}
	}
	return text, ""
}
