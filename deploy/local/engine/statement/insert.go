package statement

import "strings"

// parseInsert reads INSERT [INTO] [TABLE] [FUNCTION] target [(columns)] [SETTINGS ...] and what follows it.
func parseInsert(text string, s *scanner) (Statement, error) {
	out := Statement{Kind: Exec, Text: text, Verb: "INSERT"}
	t, ok := s.next()
	function := false
	for ok && (t.is("INTO") || t.is("TABLE") || t.is("FUNCTION")) {
		function = t.is("FUNCTION")
		t, ok = s.next()
	}
	if !ok {
		return out, nil
	}
	t, ok = out.target(text, s, t, function)
	for ; ok; t, ok = s.next() {
		switch {
		case t.is("VALUES"):
			return out.data(text, t.start, t.end, "Values"), nil
		case t.is("FORMAT"):
			name, ok := s.next()
			if !ok || name.kind != word {
				return out, nil
			}
			return out.data(text, t.start, name.end, name.text), nil
		case t.is("SELECT"), t.is("WITH"), t.is("FROM"), t.is("WATCH"), t.text == "(" && t.depth == 0 && out.Columns != "":
			return wholeInsert(text, out, s)
		case t.text == ";" && t.depth == 0:
			return wholeInsert(text, out, &scanner{text: text, pos: t.start})
		}
	}
	return out, nil
}

// target reads the name, or the call of a table function, and the column list; it returns the token after them.
func (out *Statement) target(text string, s *scanner, t token, function bool) (token, bool) {
	start := t.start
	end, t, ok := name(s, t)
	if function && ok && t.text == "(" {
		end, t, ok = group(s)
	}
	out.Target = text[start:end]
	if !ok || t.text != "(" {
		return t, ok
	}
	from := t.end
	inner, _ := (&scanner{text: text, pos: from}).next()
	if inner.is("SELECT") || inner.is("WITH") { // INSERT INTO t (SELECT ...)
		return inner, true
	}
	end, t, ok = group(s)
	out.Columns = strings.TrimSpace(text[from:max(from, end-1)])
	return t, ok
}

// name reads a name such as db.table, `a b`.c or {x:Identifier}, which begins with t.
func name(s *scanner, t token) (end int, next token, ok bool) {
	for {
		if t.text == "{" {
			end, next, ok = group(s)
		} else {
			end = t.end
			next, ok = s.next()
		}
		if !ok || next.text != "." {
			return end, next, ok
		}
		end = next.end
		if t, ok = s.next(); !ok {
			return end, t, ok
		}
	}
}

// group reads to the end of the parentheses just opened and returns where they end and the token after them.
func group(s *scanner) (end int, next token, ok bool) {
	outer := s.depth - 1
	for t, more := s.next(); more; t, more = s.next() {
		if s.depth == outer {
			next, ok = s.next()
			return t.end, next, ok
		}
	}
	return len(s.text), token{}, false
}

// data ends a statement whose data follows, in the text or by itself.
func (out Statement) data(text string, end, from int, format string) Statement {
	out.Kind, out.Text, out.Data, out.Format = Insert, text[:end], text[from:], format
	rest := scanner{text: out.Data}
	t, ok := rest.next()
	out.Inline = ok && t.text != ";"
	return out
}

// wholeInsert ends an INSERT that brings its rows by itself; only a second statement after it matters.
func wholeInsert(text string, out Statement, s *scanner) (Statement, error) {
	end, _, err := tail(text, s)
	out.Text = text[:end]
	return out, err
}
