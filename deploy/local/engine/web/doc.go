// Package web serves the embedded engine over ClickHouse's HTTP interface, as far as curl, browsers and drivers use it:
// ?query= and bodies, param_*, settings, database, default_format, inserts of any size in any format, gzip, zstd and lz4
// bodies, the code of an exception in X-ClickHouse-Exception-Code, and /ping.
//
// Each request has a session of its own. A GET may change nothing. Data of an INSERT goes to the engine as it arrives;
// results in formats that are lists of rows come as they are made, all others are put together first, up to a limit.
//
//	request -> parse (text, settings, body) -> session -> rows:   stream | whole
//	                                                      insert: body -> engine
//	                                                      exec
//
// What is not supported (sessions that last, compressed responses) is refused, never ignored. Since anything a
// browser shows can send requests to this machine, those that come from a page of elsewhere are refused too.
package web
