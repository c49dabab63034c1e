package chdb

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Error is an exception, as servers raise them.
type Error struct {
	Code int    // such as 60
	Name string // such as "UNKNOWN_TABLE"
	Text string
}

func (e *Error) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s (%s)", e.Code, e.Text, e.Name)
}

// unknown is what has no code.
const (
	unknownCode = 1002
	unknownName = "UNKNOWN_EXCEPTION"
)

// errorForm is how the engine prints an exception: Code: 60. DB::Exception: text. (UNKNOWN_TABLE) (version 26.7.2.1)
var errorForm = regexp.MustCompile(`(?s)^\s*Code: (\d+)\. DB::\w+: (.*?)\s*(?:\(([A-Z][A-Z0-9_]+)\))?\s*(?:\(version [^()]*(?:\([^()]*\))?\))?\s*$`)

// NewError reads an exception that the engine has printed.
func NewError(printed string) *Error {
	e := &Error{Code: unknownCode, Name: unknownName, Text: strings.TrimSpace(printed)}
	m := errorForm.FindStringSubmatch(printed)
	if m == nil {
		return e
	}
	if code, err := strconv.ParseInt(m[1], 10, 32); err == nil {
		e.Code, e.Text = int(code), m[2]
		if m[3] != "" {
			e.Name = m[3]
		}
	}
	return e
}

// AsError is the exception that err is or wraps; any other error becomes one without a code.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: unknownCode, Name: unknownName, Text: err.Error()}
}
