package evaluator

import "unsafe"

// bytesString returns b as a string that shares its memory: a row's values are views of its tuple. b must not change
// while the string lives.
func bytesString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// stringBytes returns s as bytes that share its memory and must not be written to.
func stringBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
