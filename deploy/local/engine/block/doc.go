// Package block reads and writes blocks of rows in ClickHouse's Native format, in the two dialects that meet in the
// embedded engine: the plain one of FORMAT Native, which the engine speaks, and the one of the native protocol, which
// adds block information in front and a byte to each column.
//
//	plain     columns rows { name type        data }...
//	protocol  info columns rows { name type 0 data }...
//
// The data of a column is the same in both, so it is copied and never decoded. But it does not say how long it is: that
// follows from the type, which is parsed into a layout (fixed size, strings, arrays ...), and from the data itself.
//
// It guarantees that hostile bytes cost no more memory than they are long, up to a limit: lengths are believed only as
// far as bytes arrive.
package block
