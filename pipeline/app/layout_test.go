package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The root holds what a visitor reads first, and nothing else; what is made there is in .gitignore.
var rootHolds = []string{
	"main.go", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", ".gitignore",
	".golangci.yml", ".ci", ".git", ".github", "config", "connectors", "deploy", "evaluator", "pipeline", "sinks",
}

func TestRootStaysTidy(t *testing.T) {
	t.Parallel()
	made := []string{"bin", "muster", "muster-state"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		temporary := slices.Contains([]string{".test", ".out", ".prof"}, filepath.Ext(e.Name()))
		if !slices.Contains(rootHolds, e.Name()) && !slices.Contains(made, e.Name()) && !temporary {
			t.Errorf("%s does not belong in the root", e.Name())
		}
	}
}

// TestInterfacesAreSmall holds interfaces to three methods, so that a fake or a wrapper of one is a few lines.
func TestInterfacesAreSmall(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, filepath.Join(root, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok && methods(i) > 3 {
				t.Errorf("%s:%d: an interface of %d methods; three are enough", file, set.Position(i.Pos()).Line, methods(i))
			}
			return true
		})
	}
}

func methods(i *ast.InterfaceType) (n int) {
	for _, f := range i.Methods.List {
		if _, ok := f.Type.(*ast.FuncType); ok {
			n += max(1, len(f.Names))
		}
	}
	return n
}

// TestPackagesSayWhatTheyGuarantee holds every package that is not a command or all tests to having a package comment.
func TestPackagesSayWhatTheyGuarantee(t *testing.T) {
	t.Parallel()
	documented := make(map[string]bool)
	for _, file := range sources(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		pkg := packageOf(file)
		documented[pkg] = documented[pkg] || parsed.Doc != nil
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment; give it a doc.go that says what it guarantees", name(pkg))
		}
	}
}
