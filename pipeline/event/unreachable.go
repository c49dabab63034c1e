package event

import "errors"

// ErrUnreachable is in errors of a source that went away or could not be reached, or has no room for us now: the same again
// may succeed later.
var ErrUnreachable = errors.New("the source cannot be reached")

// Unreachable returns err as one that passes: errors.Is finds ErrUnreachable in it, its text stays.
func Unreachable(err error) error { return unreachable{err} }

type unreachable struct{ error }

func (u unreachable) Unwrap() []error { return []error{u.error, ErrUnreachable} }
