package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTemplateThatIsSpoiltIsNoHindrance(t *testing.T) {
	t.Setenv("MUSTER_CACHE", enterable(t))
	options := Options{Version: "15"}
	first := start(t, options)
	template, err := templatePath(first.binaries)
	if err != nil {
		t.Fatal(err)
	}
	if !exists(t, filepath.Join(template, "PG_VERSION")) {
		t.Fatalf("the first start keeps no template at %s", template)
	}
	second := start(t, options)
	if got := query(t, second, "SELECT current_database()"); got != Database {
		t.Errorf("a copy serves the database %s", got)
	}
	if err := os.WriteFile(filepath.Join(template, "global", "pg_control"), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	third := start(t, options)
	if got := query(t, third, "SELECT current_database()"); got != Database {
		t.Errorf("made the long way, it serves the database %s", got)
	}
}

func TestAbandonedTemplatesGo(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	old, fresh := filepath.Join(parent, asidePrefix+"old"), filepath.Join(parent, asidePrefix+"fresh")
	for _, dir := range []string{old, fresh} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * abandoned)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	removeAbandoned(parent)
	if exists(t, old) || !exists(t, fresh) {
		t.Errorf("old is there: %v, fresh is there: %v", exists(t, old), exists(t, fresh))
	}
}

func TestIdentifierOfAnUnknownLayout(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pg_control")
	if err := os.WriteFile(path, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := renewControl(path, 1); !errors.Is(err, errLayout) {
		t.Errorf("control file of zeros: %v", err)
	}
	if err := renewSegment(path, 1, 2); !errors.Is(err, errLayout) {
		t.Errorf("segment of zeros: %v", err)
	}
}
