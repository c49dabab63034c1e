package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the folder of the module, seen from this package.
const root = "../.."

// A rule says what a package, or every package under it, may import within the project. "pkg" allows one package,
// "pkg/..." also all under it. A package may always import those under itself. The longest matching rule counts.
//
// The table is the architecture: the evaluator knows no I/O, connectors and sinks know the pipeline's data and not the
// pipeline, and one package alone puts everything together. A line changes only together with that picture.
var rules = []struct {
	pkg string
	may []string
}{
	{"", []string{"config", "pipeline/app/...", "deploy/local/..."}}, // main
	{".ci", nil},
	{"config", nil},
	{"evaluator", nil},
	{"evaluator/plain", []string{"evaluator"}},
	{"evaluator/compiled", []string{"evaluator"}},
	{"pipeline/event", []string{"evaluator"}},
	{"pipeline/state", []string{"pipeline/event", "evaluator"}},
	{"pipeline", []string{"pipeline/event", "pipeline/state", "evaluator"}},
	{"pipeline/nemesis", []string{"pipeline/...", "evaluator"}},               // tests alone
	{"pipeline/metrics", []string{"pipeline", "pipeline/event", "evaluator"}}, // of the evaluator its Instant
	{"pipeline/app", []string{
		"config", "connectors/...", "deploy/local/...", "evaluator/...", "pipeline/...", "sinks/...",
	}},
	{"connectors/postgres", []string{"pipeline/event", "evaluator"}},
	{"connectors/api", []string{"pipeline/event", "evaluator"}},
	{"sinks/kafka", []string{"pipeline/event", "evaluator"}},
	{"sinks/clickhouse", []string{"pipeline/event", "evaluator"}},
	{"deploy", nil},
	{"deploy/local", nil},
}

// testsMay is what tests may import beside their package's rule: the local stack, whose services they run against, both
// evaluators, one being the oracle of the other, and the state that a pipeline needs.
var testsMay = []string{"deploy/local/...", "evaluator/plain", "evaluator/compiled", "pipeline/event", "pipeline/state"}

// confined modules may be imported under the given folders, and by tests, alone: they are no part of the product.
var confined = map[string][]string{
	"github.com/twmb/franz-go":      {"deploy/local"},
	"github.com/ebitengine/purego":  {"deploy/local/engine"},
	"github.com/ClickHouse/ch-go":   {"deploy/local/engine"},
	"github.com/goccy/go-yaml":      {"config", "pipeline/app", "deploy/local"},
	"github.com/cockroachdb/pebble": {"pipeline/state", "pipeline/app"},
	"pgregory.net/rapid":            nil,
	"go.uber.org/goleak":            nil,
}

// imported is one import declaration.
type imported struct {
	file, pkg, path string // pkg and path without the module's name, when they are the project's
	own             bool   // path is the project's
	test            bool
}

func TestImportsFollowTheTable(t *testing.T) {
	t.Parallel()
	for _, i := range imports(t) {
		switch {
		case !i.own:
			checkConfined(t, i)
		case !allowed(t, i):
			t.Errorf("%s: %s must not import %s; see the table in imports_test.go", i.file, name(i.pkg), i.path)
		}
	}
}

// TestOnlyTestsVerifyAndExplainUseThePlainEvaluator: it visits every audience for every change, so nothing that runs for
// each change may use it. Whoever checks the other evaluator, or shows how a verdict comes about, needs just that.
func TestOnlyTestsVerifyAndExplainUseThePlainEvaluator(t *testing.T) {
	t.Parallel()
	for _, i := range imports(t) {
		if !i.own || i.path != "evaluator/plain" || i.test || covers("evaluator/plain/...", i.pkg) {
			continue
		}
		if !strings.Contains(i.file, "verify") && !strings.Contains(i.file, "explain") {
			t.Errorf("%s: only tests, verify and explain may import the plain evaluator", i.file)
		}
	}
}

func allowed(t *testing.T, i imported) bool {
	t.Helper()
	may, ok := ruleOf(i.pkg)
	if !ok {
		t.Errorf("%s: package %s has no rule; add it to the table in imports_test.go", i.file, i.pkg)
		return true
	}
	if i.test {
		may = append(slices.Clone(may), testsMay...)
		may = append(may, i.pkg)
	}
	if i.pkg != "" {
		may = append(slices.Clone(may), i.pkg+"/...")
		if owner := top(i.pkg); owner != i.pkg {
			may = append(may, owner+"/...") // within one owner's folder
		}
	}
	return slices.ContainsFunc(may, func(m string) bool { return covers(m, i.path) })
}

// top is the package of the table that the package belongs to, such as connectors/postgres for connectors/postgres/pgoutput.
func top(pkg string) string {
	best := pkg
	longest := -1
	for _, r := range rules {
		if r.pkg != "" && covers(r.pkg+"/...", pkg) && len(r.pkg) > longest {
			best, longest = r.pkg, len(r.pkg)
		}
	}
	if best == "pipeline" || best == "evaluator" {
		return pkg // their folders hold other packages of the table
	}
	return best
}

func ruleOf(pkg string) (may []string, ok bool) {
	longest := -1
	for _, r := range rules {
		exact := r.pkg == pkg
		under := r.pkg != "" && r.pkg != "pipeline" && covers(r.pkg+"/...", pkg)
		if (exact || under) && len(r.pkg) > longest {
			may, ok, longest = r.may, true, len(r.pkg)
		}
	}
	return may, ok
}

// covers reports whether the pattern, a package or "package/...", matches.
func covers(pattern, pkg string) bool {
	folder, tree := strings.CutSuffix(pattern, "/...")
	return pkg == folder || tree && strings.HasPrefix(pkg, folder+"/")
}

func checkConfined(t *testing.T, i imported) {
	t.Helper()
	for module, folders := range confined {
		if i.test || i.path != module && !strings.HasPrefix(i.path, module+"/") {
			continue
		}
		if !slices.ContainsFunc(folders, func(f string) bool { return covers(f+"/...", i.pkg) }) {
			t.Errorf("%s: %s may be imported by %v and by tests alone", i.file, module, folders)
		}
	}
}

func name(pkg string) string {
	if pkg == "" {
		return "main"
	}
	return pkg
}

// imports reads every import of the module's own packages.
func imports(t *testing.T) []imported {
	t.Helper()
	var found []imported
	for _, file := range sources(t) {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			rest, own := strings.CutPrefix(path, "muster/")
			found = append(found, imported{
				file: file, pkg: packageOf(file), path: rest, own: own, test: strings.HasSuffix(file, "_test.go"),
			})
		}
	}
	return found
}

func packageOf(file string) string {
	if dir := filepath.ToSlash(filepath.Dir(file)); dir != "." {
		return dir
	}
	return ""
}

// sources lists the Go files of the module, from its root. Modules within it, such as benchmarks against other
// libraries, are not of it.
func sources(t *testing.T) []string {
	t.Helper()
	files := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() && rel != "." {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if nested == nil || d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "bin" {
				return fs.SkipDir
			}
		}
		if !d.IsDir() && strings.HasSuffix(path, ".go") {
			files[filepath.ToSlash(rel)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(files))
}
