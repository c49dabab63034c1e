package web

import "strings"

// lists are the formats in which the results of several blocks, one after another, are the result of all of them. Others
// have something around the rows, and are put together by the engine before anything is sent.
var lists = map[string]bool{
	"TabSeparated": true, "TSV": true, "TabSeparatedRaw": true, "TSVRaw": true, "Raw": true, "CSV": true, "TSKV": true,
	"JSONEachRow": true, "JSONLines": true, "NDJSON": true, "JSONStringsEachRow": true,
	"JSONCompactEachRow": true, "JSONCompactStringsEachRow": true,
	"RowBinary": true, "Native": true, "LineAsString": true, "RawBLOB": true,
}

// streamed reports whether a result in the format can be sent as it is made.
func streamed(format string) bool { return lists[format] }

// contentType is the one a server gives.
func contentType(format string) string {
	switch {
	case strings.HasPrefix(format, "TabSeparated"), strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(format, "CSVWithNames"):
		return "text/csv; charset=UTF-8; header=present"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8; header=absent"
	case strings.Contains(format, "EachRow"), format == "JSONLines", format == "NDJSON":
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case format == "XML":
		return "application/xml; charset=UTF-8"
	case format == "Native", format == "RawBLOB", strings.HasPrefix(format, "RowBinary"), format == "Parquet", strings.HasPrefix(format, "Arrow"), format == "ORC":
		return "application/octet-stream"
	}
	return "text/plain; charset=UTF-8"
}
