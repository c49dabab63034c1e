package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite REFERENCE.md")

const referenceFile = "REFERENCE.md"

// TestReferenceIsCurrent makes REFERENCE.md from the fields of Config, their comments and Default, and compares.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	want := reference(t)
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the code says; run: go test ./config -update", referenceFile)
	}
}

const referenceHead = `# Configuration reference

Made from the code by ` + "`go test ./config -update`" + `; a test keeps it current.

A worker reads one YAML file (` + "`muster run -c muster.yaml`" + `) and then the environment. The least that works:

` + "```yaml" + `
` + least + "```" + `

- **Strict.** An unknown key, a key given twice or a value of the wrong type is refused. All faults are reported at once,
  each with file, line and column, or the variable it came from. Anchors, aliases and tags are not read.
- **Variables.** Every value can be set by the variable beside it, which wins over the file. Lists are separated by commas;
  ` + "`MUSTER_HTTP_API_KEYS`" + ` takes YAML: ` + "`[{name: ci, role: read, key: ...}]`" + `. An empty variable counts as not
  set. A variable that begins like a setting and is none is refused, but for those that Kubernetes and Docker make for a service.
- **Secrets** can be kept in a file of their own: beside ` + "`password`" + ` there is ` + "`password_file`" + `, beside
  ` + "`MUSTER_..._PASSWORD`" + ` there is ` + "`MUSTER_..._PASSWORD_FILE`" + `. One newline at the end is cut. Secrets are never
  printed or logged.
- **Paths** in the file, and default ones, are relative to the file's folder; in variables, to the working folder.
- **Durations** are numbers with a unit: ` + "`500ms`, `10s`, `5m`, `1h30m`, `90d`" + ` (a day is 24 hours).
- **Sizes** are whole numbers with a unit: ` + "`512MB`" + ` is 512,000,000 bytes, ` + "`1GiB`" + ` is 2^30. Units: B, KB, MB, GB, TB,
  KiB, MiB, GiB, TiB.
`

// reference is the whole text of the page.
func reference(t *testing.T) string {
	t.Helper()
	docs := comments(t)
	var b strings.Builder
	b.WriteString(referenceHead)
	table(&b, docs, "", reflect.ValueOf(Default()).Elem())
	return b.String()
}

// table writes the values of one section as a table and then the sections within it, each with a heading.
func table(b *strings.Builder, docs map[string]string, key string, section reflect.Value) {
	var inner []setting
	headed := false
	for _, s := range settingsOf(section, key) {
		if s.section() {
			inner = append(inner, s)
			continue
		}
		if !headed {
			b.WriteString("\n| key | type | default | variable |\n|---|---|---|---|\n")
			headed = true
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", s.key, s.typeText(), s.defaultText(), s.variableText())
	}
	if headed {
		b.WriteByte('\n')
	}
	for _, s := range settingsOf(section, key) {
		if !s.section() {
			fmt.Fprintf(b, "- `%s`: %s\n", lastName(s.key), docs[section.Type().Name()+"."+s.field.Name])
		}
		if element := s.value.Type(); element.Kind() == reflect.Slice && element.Elem().Kind() == reflect.Struct {
			for _, e := range settingsOf(reflect.New(element.Elem()).Elem(), s.key+"[]") {
				name := lastName(e.key)
				if e.secret() {
					name += "`, `" + name + "_file"
				}
				fmt.Fprintf(b, "  - `%s`: %s\n", name, docs[element.Elem().Name()+"."+e.field.Name])
			}
		}
	}
	for _, s := range inner {
		fmt.Fprintf(b, "\n%s %s\n\n%s\n", strings.Repeat("#", 2+strings.Count(s.key, ".")), s.key, docs[s.value.Type().Name()])
		table(b, docs, s.key, s.value)
	}
}

func (s setting) typeText() string {
	if s.path() {
		return "path"
	}
	return typeName(s.value.Type())
}

func (s setting) defaultText() string {
	if text := s.field.Tag.Get("default"); text != "" {
		return "`" + text + "`"
	}
	if s.value.IsZero() && s.value.Kind() != reflect.Bool && s.value.Kind() != reflect.Int {
		return ""
	}
	switch v := s.value.Interface().(type) {
	case time.Duration:
		return "`" + formatDuration(v) + "`"
	case []string:
		return "`[" + strings.Join(v, ", ") + "]`"
	}
	return fmt.Sprintf("`%v`", s.value)
}

func (s setting) variableText() string {
	if s.secret() {
		return "`" + s.variable() + "`, `..._FILE`"
	}
	return "`" + s.variable() + "`"
}

// comments returns what this package's sources say of their structs ("Kafka") and of their fields ("Kafka.Topic").
func comments(t *testing.T) map[string]string {
	t.Helper()
	docs := make(map[string]string)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				for _, spec := range g.Specs {
					structComments(docs, g.Doc, spec.(*ast.TypeSpec))
				}
			}
		}
	}
	return docs
}

func structComments(docs map[string]string, doc *ast.CommentGroup, spec *ast.TypeSpec) {
	fields, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	text := oneLine(doc.Text())
	if rest, ok := strings.CutPrefix(text, spec.Name.Name+" is "); ok {
		text = strings.ToUpper(rest[:1]) + rest[1:]
	} else if rest, ok := strings.CutPrefix(text, spec.Name.Name+" "); ok {
		text = strings.ToUpper(rest[:1]) + rest[1:]
	}
	docs[spec.Name.Name] = text
	for _, f := range fields.Fields.List {
		for _, name := range f.Names {
			docs[spec.Name.Name+"."+name.Name] = oneLine(f.Doc.Text())
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestEverySettingIsExplained holds the reference to having a sentence for every key and section.
func TestEverySettingIsExplained(t *testing.T) {
	t.Parallel()
	docs := comments(t)
	var walk func(reflect.Value, string)
	walk = func(v reflect.Value, key string) {
		for _, s := range settingsOf(v, key) {
			name := v.Type().Name() + "." + s.field.Name
			switch {
			case s.section():
				if docs[s.value.Type().Name()] == "" {
					t.Errorf("type %s has no comment", s.value.Type())
				}
				walk(s.value, s.key)
			case docs[name] == "":
				t.Errorf("field %s (%s) has no comment", name, s.key)
			}
			if list := s.value.Type(); list.Kind() == reflect.Slice && list.Elem().Kind() == reflect.Struct {
				walk(reflect.New(list.Elem()).Elem(), s.key+"[]")
			}
		}
	}
	walk(reflect.ValueOf(Default()).Elem(), "")
}
