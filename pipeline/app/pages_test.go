package app_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link is a Markdown link to somewhere in the repository.
var link = regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)

// command is `make target target`, in code or in a block of code, where two blanks begin a remark.
var command = regexp.MustCompile("(?m)(?:^    |`)make ([a-z-]+(?: [a-z-]+)*)(?:  | [A-Z]|`|$)")

// TestLinksOfPagesLead follows every relative link of the pages in the root and of the guide.
func TestLinksOfPagesLead(t *testing.T) {
	t.Parallel()
	var pages []string
	for _, folder := range []string{"", "deploy/guide"} {
		found, err := filepath.Glob(filepath.Join(root, folder, "*.md"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no pages in %q: %v", folder, err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", filepath.Base(page), m[1], err)
			}
		}
	}
}

// TestPagesNameTargetsThatExist holds what the pages say of make to the Makefile.
func TestPagesNameTargetsThatExist(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"README.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range command.FindAllStringSubmatch(string(text), -1) {
			for target := range strings.FieldsSeq(m[1]) {
				if !strings.Contains(string(makefile), "\n"+target+": ##") {
					t.Errorf("%s says make %s, which the Makefile does not have", page, target)
				}
			}
		}
	}
}
