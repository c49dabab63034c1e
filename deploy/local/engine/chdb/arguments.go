package chdb

import "unsafe"

// arguments are what the engine's binary-safe calls take: every text as a pointer and a length. All of it lives on the
// heap, which does not move, for as long as the value is referenced.
type arguments struct {
	sql, format                        unsafe.Pointer
	sqlLen, formatLen                  uintptr
	names, nameLens, values, valueLens unsafe.Pointer
	count                              uintptr
	keep                               [][]byte
}

func pack(sql, format string, params []Param) *arguments {
	a := &arguments{count: uintptr(len(params))}
	a.sql, a.sqlLen = a.bytes(sql)
	a.format, a.formatLen = a.bytes(format)
	if len(params) == 0 {
		return a
	}
	names, values := make([]unsafe.Pointer, len(params)), make([]unsafe.Pointer, len(params))
	nameLens, valueLens := make([]uintptr, len(params)), make([]uintptr, len(params))
	for i, p := range params {
		names[i], nameLens[i] = a.bytes(p.Name)
		values[i], valueLens[i] = a.bytes(p.Value)
	}
	a.names, a.nameLens = unsafe.Pointer(&names[0]), unsafe.Pointer(&nameLens[0])
	a.values, a.valueLens = unsafe.Pointer(&values[0]), unsafe.Pointer(&valueLens[0])
	return a
}

// bytes also ends the text with a zero, though no call should need it.
func (a *arguments) bytes(s string) (unsafe.Pointer, uintptr) {
	b := append([]byte(s), 0)
	a.keep = append(a.keep, b)
	return unsafe.Pointer(&b[0]), uintptr(len(s))
}

func cString(s string) *byte {
	b := append([]byte(s), 0)
	return &b[0]
}

// deref reads the pointer that p, memory of the engine, points to.
func deref(p uintptr) uintptr { return **(**uintptr)(unsafe.Pointer(&p)) }
