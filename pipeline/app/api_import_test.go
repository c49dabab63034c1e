package app

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
)

var importRows = flag.Int("import.rows", 5_000, "rows of the CSV file that is imported")

// TestImportOfManyRows imports a file in which each fault has its share, and holds the report to it line by line.
// -import.rows=150000 is 10 MB.
func TestImportOfManyRows(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	var file strings.Builder
	file.WriteString("ID,Email,Age,Org,Plan\n")
	want := make(map[int]string) // reasons by line
	for i := range *importRows {
		id, email, age, line := fmt.Sprintf("user-%06d", i), fmt.Sprintf("user%06d@mail.example.org", i), "30", i+2
		switch {
		case i%1_000 == 7:
			id, want[line] = "", "id"
		case i%1_000 == 107:
			id, want[line] = fmt.Sprintf("user-%06d", i-1), fmt.Sprintf("repeats line %d", line-1)
		case i%1_000 == 207:
			email, want[line] = "\xff", "UTF-8"
		case i%5_000 == 307:
			age, want[line] = "old", "age"
		case i%1_000 == 407:
			age, want[line] = "30,surplus", "6 columns"
		case i%1_000 == 507:
			email, want[line] = `bare"quote`, `"`
		case i%1_000 == 607:
			email = "=1+1"
		}
		fmt.Fprintf(&file, "%s,%s,%s,acme,professional-%d\n", id, email, age, i%7)
	}
	began := time.Now()
	status, report, _ := s.upload("/v1/audiences/beta/import?create_audience=true", `{"ID": "id", "Email": "email", "Age": "age", "Org": "tenant_id", "Plan": "plan"}`, file.String())
	t.Logf("%d rows, %.1f MB in %s", *importRows, float64(file.Len())/1e6, time.Since(began).Round(time.Millisecond))
	if status != 200 || report["rows"] != float64(*importRows) || report["skipped"] != float64(len(want)) || report["added"] != float64(*importRows-len(want)) {
		t.Fatalf("%d rows %v, added %v, skipped %v, want %d skipped", status, report["rows"], report["added"], report["skipped"], len(want))
	}
	for _, skip := range report["skips"].([]any) {
		line, reason := int(skip.(object)["line"].(float64)), skip.(object)["reason"].(string)
		if want[line] == "" || !strings.Contains(reason, want[line]) {
			t.Errorf("line %d: %q, want %q", line, reason, want[line])
		}
		delete(want, line)
	}
	if len(want) > 0 {
		t.Errorf("not reported: %v", want)
	}
}
