package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// binaries of a server: the folder with initdb and postgres.
type binaries struct {
	dir     string
	version string // as the server says it: 17.10, 18beta1
	major   int
}

// oldest is the first version whose logical decoding does all that Muster needs.
const oldest = 15

// binEnv names a folder of binaries that is preferred to everything else.
const binEnv = "MUSTER_PG_BIN"

// findBinaries returns a server of the major version, or of any supported one when version is "": one that is on the
// machine, else the portable one, else what the package manager installs.
func findBinaries(ctx context.Context, version string, as account, log func(string)) (binaries, error) {
	major, err := parseMajor(version)
	if err != nil {
		return binaries{}, err
	}
	b, ok, err := onThisMachine(ctx, major, as)
	if err != nil || ok {
		return b, err
	}
	b, portableErr := portable(ctx, major, as, log)
	if portableErr == nil {
		return b, nil
	}
	log("Portable Postgres cannot be used: " + portableErr.Error())
	if installErr := installPackage(ctx, major, log); installErr != nil {
		return binaries{}, fmt.Errorf("find Postgres%s: %w", ofVersion(major), errors.Join(portableErr, installErr))
	}
	b, ok, err = onThisMachine(ctx, major, as)
	if err == nil && !ok {
		err = fmt.Errorf("find Postgres%s: the package manager installed another version; install it by hand and set %s to the folder of its initdb",
			ofVersion(major), binEnv)
	}
	return b, err
}

func parseMajor(version string) (int, error) {
	if version == "" {
		return 0, nil
	}
	major, err := strconv.Atoi(version)
	if err != nil || major < oldest {
		return 0, fmt.Errorf("Postgres version %q: name a major version from %d on, such as \"17\"", version, oldest)
	}
	return major, nil
}

func ofVersion(major int) string {
	if major == 0 {
		return ""
	}
	return " " + strconv.Itoa(major)
}

// onThisMachine looks through the places where servers are installed. A MUSTER_PG_BIN that holds no server is an error;
// one of another version than the one asked for is passed over.
func onThisMachine(ctx context.Context, major int, as account) (binaries, bool, error) {
	var found []binaries
	if dir := os.Getenv(binEnv); dir != "" {
		b, err := inspect(ctx, dir, as)
		if err != nil {
			return binaries{}, false, fmt.Errorf("%s: %w", binEnv, err)
		}
		found = append(found, b)
	}
	for _, dir := range places(ctx) {
		if b, err := inspect(ctx, dir, as); err == nil {
			found = append(found, b)
		}
	}
	for _, b := range found {
		if major == b.major || major == 0 && b.major >= oldest {
			return b, true, nil
		}
	}
	return binaries{}, false, nil
}

// places lists the folders that may hold a server: what pg_config names, then the known ones, newest version first.
func places(ctx context.Context) []string {
	var dirs []string
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                               // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                        // PostgreSQL's own RPMs
		"/usr/libexec/postgresql*",                                // Alpine
		"/opt/homebrew/opt/postgresql@*/bin",                      // Homebrew on Apple silicon
		"/usr/local/opt/postgresql@*/bin",                         // Homebrew on Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",         // Homebrew on Linux
		"/Applications/Postgres.app/Contents/Versions/[0-9]*/bin", // Postgres.app
		"/usr/local/pgsql/bin",                                    // built from source
	} {
		matches, _ := filepath.Glob(pattern) // the patterns are well-formed, the only fault there is
		slices.Sort(matches)
		slices.Reverse(matches)
		dirs = append(dirs, matches...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	return dirs
}

var versionPattern = regexp.MustCompile(`^postgres \(PostgreSQL\) ((\d+)\S*)`)

// inspect asks the server in dir for its version, which also shows that it runs on this machine.
func inspect(ctx context.Context, dir string, as account) (binaries, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return binaries{}, err
	}
	for _, program := range []string{"initdb", "postgres"} {
		// pg_config and psql come with client packages too; only these two make a server.
		if _, err := os.Stat(filepath.Join(dir, program)); err != nil {
			return binaries{}, fmt.Errorf("no Postgres server in %s: %w", dir, err)
		}
	}
	if err := as.reach(dir); err != nil {
		return binaries{}, err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("run %s --version: %w: %s", filepath.Join(dir, "postgres"), err, strings.TrimSpace(string(out)))
	}
	match := versionPattern.FindStringSubmatch(string(out))
	if match == nil {
		return binaries{}, fmt.Errorf("%s --version says %q, which is no Postgres", filepath.Join(dir, "postgres"), strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(match[2])
	return binaries{dir: dir, version: match[1], major: major}, err
}
