package chdb

import (
	"errors"
	"fmt"
	"testing"
)

func TestNewError(t *testing.T) {
	t.Parallel()
	for printed, want := range map[string]Error{
		"Code: 60. DB::Exception: Unknown table 'a' (b). (UNKNOWN_TABLE)":                      {60, "UNKNOWN_TABLE", "Unknown table 'a' (b)."},
		" Code: 27. DB::Exception: Cannot\nparse: (at row 1)\n. (CANNOT) (version 26.7.2.1)\n": {27, "CANNOT", "Cannot\nparse: (at row 1)\n."},
		"Code: 1. DB::NetException: x (version 26.7.2.1 (official build))":                     {1, unknownName, "x"},
		"Code: 2. DB::Exception: x":           {2, unknownName, "x"},
		"Code: 99999999999. DB::Exception: x": {unknownCode, unknownName, "Code: 99999999999. DB::Exception: x"},
		"no more memory":                      {unknownCode, unknownName, "no more memory"},
		"":                                    {unknownCode, unknownName, ""},
	} {
		if got := *NewError(printed); got != want {
			t.Errorf("%q is %+v, want %+v", printed, got, want)
		}
	}
}

func TestAsError(t *testing.T) {
	t.Parallel()
	inner := &Error{Code: 60}
	if got := AsError(fmt.Errorf("outer: %w", inner)); got != inner {
		t.Errorf("a wrapped exception is %+v", got)
	}
	if got := AsError(errors.New("plain")); got.Code != unknownCode || got.Text != "plain" {
		t.Errorf("another error is %+v", got)
	}
}
