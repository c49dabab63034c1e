package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/pipeline/event"
)

// ImportReport says what became of each row of a CSV file.
type ImportReport struct {
	Rows      int          `json:"rows" doc:"Rows of the file, without its header."`
	Added     int          `json:"added" doc:"Members that were not recorded before."`
	Unchanged int          `json:"unchanged" doc:"Members that were recorded already."`
	Skipped   int          `json:"skipped" doc:"Rows that were not taken."`
	Skips     []ImportSkip `json:"skips" nullable:"false" doc:"The rows that were not taken, at most 10,000 of them."`
	Mapping   []ImportMap  `json:"mapping" nullable:"false" doc:"What each column of the file was taken for."`
	DryRun    bool         `json:"dry_run,omitempty"`
}

// ImportSkip is a row that was not taken.
type ImportSkip struct {
	Line   int    `json:"line" doc:"Of the file, from 1."`
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason"`
}

// ImportMap is what a column was taken for.
type ImportMap struct {
	Column string `json:"column"`
	Field  string `json:"field" doc:"id, tenant_id, a property, or nothing when the column was left out."`
}

// maxSkips bounds the rows a report names.
const maxSkips = 10_000

// importFile is a CSV file, read.
type importFile struct {
	report  ImportReport
	members []event.NewMember
	lines   []int // of each member
}

const (
	fieldID     = "id"
	fieldTenant = "tenant_id"
)

// readImport reads a CSV file. A nil mapping is guessed from the header. The error is of the file as a whole; what is
// wrong with single rows is in the report.
func readImport(file []byte, mapping map[string]string) (*importFile, error) {
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if !bytes.ContainsRune(file, '\n') { // as old spreadsheets for the Macintosh end their lines
		file = bytes.ReplaceAll(file, []byte("\r"), []byte("\n"))
	}
	if len(bytes.TrimSpace(file)) == 0 {
		return nil, errors.New("it is empty; the first line names the columns")
	}
	reader := csv.NewReader(bytes.NewReader(file))
	reader.Comma = delimiter(file)
	reader.FieldsPerRecord = -1
	reader.ReuseRecord = true
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("its header cannot be read: %w", err)
	}
	f := &importFile{}
	f.report.Skips = []ImportSkip{}
	fields, err := f.plan(slices.Clone(header), mapping)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]int)
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		f.report.Rows++
		if err != nil {
			var broken *csv.ParseError
			if !errors.As(err, &broken) {
				return nil, err
			}
			f.skip(broken.StartLine, "", brokenRow(broken))
			continue
		}
		line, _ := reader.FieldPos(0)
		f.row(line, record, fields, len(header), seen)
	}
}

// brokenRow says what is wrong with a row whose quotes do not fit; when one never closes, how much it swallowed.
func brokenRow(err *csv.ParseError) string {
	if err.Line > err.StartLine {
		return fmt.Sprintf("its quotes do not close as they should: lines %d to %d were read as this one row", err.StartLine, err.Line)
	}
	return err.Err.Error()
}

// delimiter guesses what separates the columns from the header: a comma, a semicolon or a tab.
func delimiter(file []byte) rune {
	header, _, _ := bytes.Cut(file, []byte("\n"))
	best, most := ',', bytes.Count(header, []byte(","))
	for _, c := range []rune{';', '\t'} {
		if n := bytes.Count(header, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// plan decides what each column is taken for.
func (f *importFile) plan(header []string, mapping map[string]string) ([]string, error) {
	const most = 2_000 // more than the columns that a table can have
	if len(header) > most {
		return nil, fmt.Errorf("it has %d columns; at most %d are taken", len(header), most)
	}
	fields := make([]string, len(header))
	idName, tenantName := firstNamed(header, idNames), firstNamed(header, tenantNames)
	for i, name := range header {
		name = strings.TrimSpace(name)
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("its header is not UTF-8 (column %d); save the file as UTF-8", i+1)
		}
		if mapping == nil {
			fields[i] = snake(name)
			switch i {
			case idName:
				fields[i] = fieldID
			case tenantName:
				fields[i] = fieldTenant
			}
		} else {
			fields[i] = strings.TrimPrefix(mapping[name], "recipient.")
			if fields[i] == "tenant" {
				fields[i] = fieldTenant
			}
		}
		f.report.Mapping = append(f.report.Mapping, ImportMap{Column: name, Field: fields[i]})
	}
	for column := range mapping {
		if !slices.ContainsFunc(header, func(h string) bool { return strings.TrimSpace(h) == column }) {
			return nil, fmt.Errorf("the mapping names a column %q; the file has %s", column, strings.Join(header, ", "))
		}
	}
	if n := count(fields, fieldID); n != 1 {
		return nil, fmt.Errorf("%d columns are mapped to id, and it takes one; the file has %s. Map one as in {\"%s\": \"id\"}", n, strings.Join(header, ", "), header[0])
	}
	for _, field := range fields {
		if field != "" && count(fields, field) > 1 {
			return nil, fmt.Errorf("several columns are mapped to %s", field)
		}
	}
	return fields, nil
}

func count(list []string, item string) (n int) {
	for _, x := range list {
		if x == item {
			n++
		}
	}
	return n
}

// idNames and tenantNames are what columns of ids are called; of several in one file the one named first here is taken.
var (
	idNames     = []string{"id", "user_id", "userid", "external_id", "uid"}
	tenantNames = []string{"tenant_id", "tenant", "tenantid", "org_id", "org", "organization_id", "account_id", "workspace_id"}
)

// firstNamed returns the place of the column that has the first of the names that any has, -1 when none has.
func firstNamed(header, names []string) int {
	for _, name := range names {
		if i := slices.IndexFunc(header, func(column string) bool { return snake(column) == name }); i >= 0 {
			return i
		}
	}
	return -1
}

// snake is a column's name as a field's: "Phone Number" is phone_number.
func snake(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '.' {
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(name)))
}

func (f *importFile) skip(line int, id, reason string) {
	f.report.Skipped++
	if len(f.report.Skips) < maxSkips {
		f.report.Skips = append(f.report.Skips, ImportSkip{Line: line, ID: id, Reason: reason})
	}
}

// row takes one row of the file.
func (f *importFile) row(line int, record, fields []string, width int, seen map[string]int) {
	if len(record) != width {
		f.skip(line, "", fmt.Sprintf("it has %d columns, the header has %d", len(record), width))
		return
	}
	m := event.NewMember{User: event.Identify{}}
	for i, value := range record {
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			f.skip(line, "", fmt.Sprintf("column %d is not UTF-8 without U+0000", i+1))
			return
		}
		switch field := fields[i]; {
		case field == fieldID:
			m.User.ID = strings.TrimSpace(value)
		case field == fieldTenant:
			m.Tenant = strings.TrimSpace(value)
		case field != "" && value != "":
			if m.User.Properties == nil {
				m.User.Properties = make(map[string]json.RawMessage)
			}
			m.User.Properties[field] = quoted(value)
		}
	}
	if fault := checkID(m.User.ID); fault != "" {
		f.skip(line, m.User.ID, "the id is wrong: "+fault)
		return
	}
	if m.Tenant != "" && checkID(m.Tenant) != "" {
		f.skip(line, m.User.ID, "the tenant is wrong: "+checkID(m.Tenant))
		return
	}
	key := m.User.ID + "\x00" + m.Tenant
	if before, twice := seen[key]; twice {
		f.skip(line, m.User.ID, fmt.Sprintf("it repeats line %d", before))
		return
	}
	seen[key] = line
	f.members, f.lines = append(f.members, m), append(f.lines, line)
}

// CSV is the report's rows that were not taken, as CSV.
func (r *ImportReport) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"line", "id", "reason"})
	for _, s := range r.Skips {
		_ = w.Write([]string{fmt.Sprint(s.Line), safeCell(s.ID), safeCell(s.Reason)})
	}
	w.Flush()
	return b.Bytes()
}
