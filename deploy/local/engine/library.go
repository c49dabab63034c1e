package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"

	"muster/deploy/local/fetch"
)

// packages are the npm packages that hold the library, by operating system and architecture. The digests are pinned
// where the package could be checked; elsewhere npm's own check against the registry has to do.
var packages = map[string]fetch.Package{
	"linux/amd64": {Name: "@chdb/lib-linux-x64-gnu", Version: "26.7.3-stable.1",
		Integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=="},
	"linux/arm64":  {Name: "@chdb/lib-linux-arm64-gnu", Version: "26.7.3-stable.1"},
	"darwin/amd64": {Name: "@chdb/lib-darwin-x64", Version: "26.7.3-stable.1"},
	"darwin/arm64": {Name: "@chdb/lib-darwin-arm64", Version: "26.7.3-stable.1"},
}

// library returns the path of the shared library, fetching it when this machine has none yet.
func library(ctx context.Context, log func(string)) (string, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	p, ok := packages[platform]
	if !ok {
		return "", fmt.Errorf("there is no embedded ClickHouse engine for %s; point clickhouse.addr at a ClickHouse server instead", platform)
	}
	dir, err := fetch.NPM(ctx, p, log)
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(dir, "libchdb.*"))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("%s holds no libchdb: remove the directory and try again", dir)
	}
	return found[0], nil
}
