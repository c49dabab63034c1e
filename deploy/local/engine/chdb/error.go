package chdb

import (
	"regexp"
	"strconv"
	"strings"
)

// Error is an exception of the engine.
type Error struct {
	Code    int    // such as 60
	Name    string // such as "UNKNOWN_TABLE", "" when the text has none
	Message string // the whole text
}

func (e *Error) Error() string { return e.Message }

var errorForm = regexp.MustCompile(`(?s)Code: (\d+)\. DB::\w*(?:Exception|Error)[: ].*?(?:\(([A-Z][A-Z0-9_]+)\)\s*)?$`)

// unknownError is ClickHouse's code for what has no code.
const unknownError = 1002

// NewError reads the code out of the engine's text.
func NewError(text string) *Error {
	e := &Error{Code: unknownError, Name: "UNKNOWN_EXCEPTION", Message: strings.TrimSpace(text)}
	if m := errorForm.FindStringSubmatch(text); m != nil {
		if code, err := strconv.Atoi(m[1]); err == nil {
			e.Code, e.Name = code, m[2]
		}
	}
	return e
}

var errorWrapping = regexp.MustCompile(`(?s)^Code: \d+\. DB::\w+: (.*?)\s*(?:\([A-Z][A-Z0-9_]+\))?\s*(?:\(version [^()]*(?:\([^()]*\))?\))?$`)

// Text is the message without the code, its name and the engine's version around it.
func (e *Error) Text() string {
	if m := errorWrapping.FindStringSubmatch(e.Message); m != nil {
		return m[1]
	}
	return e.Message
}
