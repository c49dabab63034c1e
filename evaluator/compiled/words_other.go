//go:build !amd64

package compiled

import "unsafe"

func or(dst, src *uint64, n int) {
	d, s := unsafe.Slice(dst, n), unsafe.Slice(src, n)
	for i := range d {
		d[i] |= s[i]
	}
}

func and(dst, src *uint64, n int) {
	d, s := unsafe.Slice(dst, n), unsafe.Slice(src, n)
	for i := range d {
		d[i] &= s[i]
	}
}

func andNot(dst, src *uint64, n int) {
	d, s := unsafe.Slice(dst, n), unsafe.Slice(src, n)
	for i := range d {
		d[i] &^= s[i]
	}
}
