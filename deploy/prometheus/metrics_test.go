package prometheus

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var (
	metric    = regexp.MustCompile(`\bmuster_[a-z0-9_]+\b`)
	histogram = regexp.MustCompile(`_(bucket|count|sum)$`)
)

// A panel or an alert over a metric that does not exist is empty for ever and looks like good news.
func TestExpressionsNameMetricsOfTheWorker(t *testing.T) {
	t.Parallel()
	exported := exportedMetrics(t)
	if len(exported) < 20 {
		t.Fatalf("found only %d metrics in pipeline/metrics", len(exported))
	}
	recorded := map[string]bool{}
	var expressions []string
	for _, file := range []string{"muster.rules.yml", "muster.alerts.yml"} {
		for _, r := range rules(t, file) {
			recorded[r.Record] = true
			expressions = append(expressions, r.Expr)
		}
	}
	expressions = append(expressions, dashboard(t)...)
	for _, expression := range expressions {
		for _, name := range recordedNames(expression) {
			if !recorded[name] {
				t.Errorf("no rule records %s: %s", name, expression)
			}
			expression = strings.ReplaceAll(expression, name, "")
		}
		for _, name := range metric.FindAllString(expression, -1) {
			if !exported[name] && !exported[histogram.ReplaceAllString(name, "")] {
				t.Errorf("the worker has no metric %s: %s", name, expression)
			}
		}
	}
}

func recordedNames(expression string) []string {
	return regexp.MustCompile(`\binstance[a-z_]*:muster_[a-z0-9_]+:[a-z0-9_]+\b`).FindAllString(expression, -1)
}

type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T, file string) (list []rule) {
	t.Helper()
	var document struct{ Groups []struct{ Rules []rule } }
	raw, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(raw, &document)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, group := range document.Groups {
		list = append(list, group.Rules...)
	}
	for _, r := range list {
		if r.Alert != "" && (r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "") {
			t.Errorf("alert %s lacks a severity, a summary or a description", r.Alert)
		}
	}
	return list
}

// dashboard returns the expressions of all panels.
func dashboard(t *testing.T) (list []string) {
	t.Helper()
	var document struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	raw, err := os.ReadFile("../grafana/dashboards/muster.json")
	if err == nil {
		err = json.Unmarshal(raw, &document)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, panel := range document.Panels {
		for _, target := range panel.Targets {
			list = append(list, target.Expr)
		}
	}
	return list
}

// exportedMetrics reads the names out of the source of pipeline/metrics, since a metric with labels is in no registry before it
// is first used.
func exportedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../../pipeline/metrics/*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && metric.FindString(text) == text && text != "" {
					names[text] = true
				}
			}
			return true
		})
	}
	return names
}
