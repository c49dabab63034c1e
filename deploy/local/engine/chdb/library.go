package chdb

import (
	"sync"
	"unsafe"
)

// Library is the loaded engine. There is one in a process, and it serves one data directory at a time.
type Library struct {
	mu sync.Mutex // connecting and disconnecting touch the process's signal handlers

	version func() string

	connect func(argc int32, argv unsafe.Pointer) uintptr
	close   func(conn uintptr)

	query       func(conn uintptr, sql unsafe.Pointer, n uintptr, format unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) uintptr
	streamQuery func(conn uintptr, sql unsafe.Pointer, n uintptr, format unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) uintptr
	streamFetch func(conn, result uintptr) uintptr
	streamStop  func(conn, result uintptr)

	insert        func(conn uintptr, sql unsafe.Pointer, n uintptr, format unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) uintptr
	insertAppend  func(stream uintptr, data unsafe.Pointer, n uintptr) int32
	insertDone    func(stream uintptr) uintptr
	insertCancel  func(stream uintptr)
	insertError   func(stream uintptr) string
	insertDestroy func(stream uintptr)

	resultBuffer  func(result uintptr) unsafe.Pointer
	resultLength  func(result uintptr) uintptr
	resultError   func(result uintptr) string
	resultRead    func(result uintptr) uint64
	resultBytes   func(result uintptr) uint64
	resultWritten func(result uintptr) uint64
	resultDestroy func(result uintptr)

	keepSignals func(enabled int32)
	sigaction   func(signal int32, act, old unsafe.Pointer) int32
}

// functions are the library's symbols and what they are bound to.
func (l *Library) functions() map[string]any {
	return map[string]any{
		"chdb_version":                     &l.version,
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.close,
		"chdb_query_with_params_n":         &l.query,
		"chdb_stream_query_with_params_n":  &l.streamQuery,
		"chdb_stream_fetch_result":         &l.streamFetch,
		"chdb_stream_cancel_query":         &l.streamStop,
		"chdb_stream_insert_with_params_n": &l.insert,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_destroy_insert_stream":       &l.insertDestroy,
		"chdb_result_buffer":               &l.resultBuffer,
		"chdb_result_length":               &l.resultLength,
		"chdb_result_error":                &l.resultError,
		"chdb_result_storage_rows_read":    &l.resultRead,
		"chdb_result_storage_bytes_read":   &l.resultBytes,
		"chdb_result_rows_written":         &l.resultWritten,
		"chdb_destroy_query_result":        &l.resultDestroy,
		"chdb_set_signal_handlers_enabled": &l.keepSignals,
		"sigaction":                        &l.sigaction, // of the C library, which the engine is linked to
	}
}

// Version returns the engine's own version, such as "26.7.3".
func (l *Library) Version() string { return l.version() }
