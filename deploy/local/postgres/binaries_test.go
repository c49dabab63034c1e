package postgres

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeServer makes a folder with programs that only say their version.
func fakeServer(t *testing.T, says string, programs ...string) string {
	t.Helper()
	dir := enterable(t)
	for _, program := range programs {
		if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"+says+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestInspect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		says     string
		programs []string
		major    int
		version  string
		fault    string
	}{
		{"a release", "echo 'postgres (PostgreSQL) 17.10'", []string{"initdb", "postgres"}, 17, "17.10", ""},
		{"Debian's", "echo 'postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)'", []string{"initdb", "postgres"}, 15, "15.18", ""},
		{"a beta", "echo 'postgres (PostgreSQL) 18beta1'", []string{"initdb", "postgres"}, 18, "18beta1", ""},
		{"clients only", "echo 'postgres (PostgreSQL) 17.10'", []string{"psql", "pg_config"}, 0, "", "no Postgres server"},
		{"for another machine", "echo 'libicu not found' >&2; exit 127", []string{"initdb", "postgres"}, 0, "", "libicu not found"},
		{"something else", "echo 'hello'", []string{"initdb", "postgres"}, 0, "", "which is no Postgres"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := fakeServer(t, tt.says, tt.programs...)
			b, err := inspect(t.Context(), dir, chooseAccount())
			switch {
			case tt.fault == "" && err != nil:
				t.Fatal(err)
			case tt.fault == "" && (b.major != tt.major || b.version != tt.version || b.dir != dir):
				t.Errorf("%+v", b)
			case tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)):
				t.Errorf("error %v, want one that says %q", err, tt.fault)
			}
		})
	}
}

func TestNamedBinariesComeFirst(t *testing.T) {
	dir := fakeServer(t, "echo 'postgres (PostgreSQL) 16.3'", "initdb", "postgres")
	t.Setenv(binEnv, dir)
	b, ok, err := onThisMachine(t.Context(), 0, chooseAccount())
	if err != nil || !ok || b.dir != dir {
		t.Errorf("any version: %+v, %v, %v", b, ok, err)
	}
	if b, ok, err = onThisMachine(t.Context(), 98, chooseAccount()); err != nil || ok {
		t.Errorf("another version: %+v, %v, %v", b, ok, err)
	}
	t.Setenv(binEnv, t.TempDir())
	if _, _, err = onThisMachine(t.Context(), 0, chooseAccount()); err == nil || !strings.Contains(err.Error(), binEnv) {
		t.Errorf("a folder without a server: %v", err)
	}
}

func TestPortablePins(t *testing.T) {
	t.Parallel()
	for major := oldest; major <= 18; major++ {
		for _, platform := range [][2]string{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}} {
			p, err := portablePin(major, platform[0], platform[1])
			if err != nil {
				t.Errorf("Postgres %d on %v: %v", major, platform, err)
				continue
			}
			if !strings.HasPrefix(p.Integrity, "sha512-") || len(p.Integrity) != len("sha512-")+88 {
				t.Errorf("Postgres %d on %v: integrity %q", major, platform, p.Integrity)
			}
		}
	}
	for name, ask := range map[string]func() error{
		"an unknown version":  func() error { _, err := portablePin(99, "linux", "amd64"); return err },
		"an unknown platform": func() error { _, err := portablePin(17, "plan9", "mips"); return err },
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), binEnv) {
			t.Errorf("%s: %v, which does not say what to do", name, err)
		}
	}
}

func TestLibrariesAreLinkedWithinThePackage(t *testing.T) {
	t.Parallel()
	write := func(root, links string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, "native", "lib"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "native", "pg-symlinks.json"), []byte(links), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root := t.TempDir()
	write(root, `[{"source": "native/lib/liba.so.1.2", "target": "native/lib/liba.so.1"}]`)
	for range 2 { // the second time finds them made
		if err := linkLibraries(root); err != nil {
			t.Fatal(err)
		}
	}
	if target, err := os.Readlink(filepath.Join(root, "native", "lib", "liba.so.1")); err != nil || target != "liba.so.1.2" {
		t.Errorf("link to %q, %v", target, err)
	}
	outside := t.TempDir()
	write(outside, `[{"source": "native/lib/liba.so", "target": "../liba.so"}]`)
	if err := linkLibraries(outside); err == nil {
		t.Error("a link outside the package was made")
	}
	if err := linkLibraries(t.TempDir()); err != nil {
		t.Errorf("a package without links: %v", err)
	}
}

func TestPackageManagerCommands(t *testing.T) {
	t.Parallel()
	want := map[string][2]string{ // of any version, of 17
		"apt-get": {"apt-get update; apt-get install --yes --no-install-recommends postgresql", "apt-get update; apt-get install --yes --no-install-recommends postgresql-17"},
		"dnf":     {"dnf install --assumeyes postgresql-server", "dnf install --assumeyes postgresql-server"},
		"apk":     {"apk add postgresql", "apk add postgresql17"},
		"pacman":  {"pacman -Sy --noconfirm postgresql", "pacman -Sy --noconfirm postgresql"},
		"brew":    {"brew install postgresql@17", "brew install postgresql@17"},
	}
	for _, m := range managers {
		if got := [2]string{joinCommands(m.commands(0), "; "), joinCommands(m.commands(17), "; ")}; got != want[m.program] {
			t.Errorf("%s: %q, want %q", m.program, got, want[m.program])
		}
	}
	if len(want) != len(managers) {
		t.Errorf("%d managers, %d expected", len(managers), len(want))
	}
}

func TestCommandsAreShownAsTheyRun(t *testing.T) {
	t.Parallel()
	var lines []string
	err := runLogged(t.Context(), []string{"/bin/sh", "-c", "echo one; echo two >&2; head -c 200000 /dev/zero; exit 3"}, func(line string) { lines = append(lines, line) })
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(lines, []string{"  one", "  two"}) {
		t.Errorf("lines %q", lines)
	}
}
