package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// registry is an npm registry with one package, for the real npm client.
type registry struct {
	tarball   []byte
	downloads atomic.Int32
	half      chan struct{} // the second half of the tarball waits for it to be closed
	url       string
}

const name, version = "@scope/thing", "1.2.3-stable.1"

func serve(t *testing.T, tarball []byte) *registry {
	t.Helper()
	r := halting(t, tarball)
	close(r.half)
	return r
}

// halting serves half of the tarball only, until half is closed.
func halting(t *testing.T, tarball []byte) *registry {
	t.Helper()
	r := &registry{tarball: tarball, half: make(chan struct{})}
	server := httptest.NewUnstartedServer(r)
	r.url = "http://" + server.Listener.Addr().String()
	server.Start()
	t.Cleanup(server.Close)
	return r
}

func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	switch {
	case strings.HasSuffix(request.URL.Path, ".tgz"):
		r.downloads.Add(1)
		n := len(r.tarball) / 2
		_, _ = w.Write(r.tarball[:n])
		w.(http.Flusher).Flush()
		select {
		case <-r.half:
		case <-request.Context().Done():
		}
		_, _ = w.Write(r.tarball[n:])
	case strings.EqualFold(request.URL.EscapedPath(), "/@scope%2fthing"):
		dist := map[string]string{"tarball": r.url + "/thing.tgz", "integrity": integrity(r.tarball)}
		about := map[string]any{"name": name, "version": version, "dist": dist}
		_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "versions": map[string]any{version: about}, "dist-tags": map[string]string{"latest": version}})
	default:
		http.NotFound(w, request)
	}
}

func integrity(b []byte) string {
	sum := sha512.Sum512(b)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// pack makes a tarball.
func pack(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, h := range entries {
		body := []byte("content of " + h.Name)
		if h.Typeflag == 0 {
			h.Size = int64(len(body))
		}
		if err := archive.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == 0 {
			if _, err := archive.Write(body); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func thing(t testing.TB) []byte {
	return pack(t, tar.Header{Name: "package/package.json", Mode: 0o600}, tar.Header{Name: "package/bin/run", Mode: 0o700})
}

// client is the fetching side, with a cache of its own.
func (r *registry) client(t *testing.T, log func(string)) npm {
	t.Helper()
	return npm{cache: t.TempDir(), log: log, env: []string{"npm_config_registry=" + r.url, "npm_config_fetch_retries=0"}, every: time.Millisecond}
}

func quiet(string) {}

func TestFetchOnce(t *testing.T) {
	t.Parallel()
	r := serve(t, thing(t))
	n, p := r.client(t, quiet), Package{Name: name, Version: version, Integrity: integrity(thing(t))}
	for range 2 {
		dir, err := n.fetch(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for file, mode := range map[string]os.FileMode{"package.json": 0o644, "bin/run": 0o755, "bin": os.ModeDir | 0o755, ".": os.ModeDir | 0o755} {
			if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode() != mode {
				t.Errorf("%s: %v, %v; want %v", file, info.Mode(), err, mode)
			}
		}
		if text, err := os.ReadFile(filepath.Join(dir, "bin/run")); string(text) != "content of package/bin/run" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	}
	if n := r.downloads.Load(); n != 1 {
		t.Errorf("downloaded %d times", n)
	}
}

func TestOneOfManyDownloads(t *testing.T) {
	t.Parallel()
	r := halting(t, thing(t))
	var waiting sync.Once
	n := r.client(t, nil)
	n.log = func(line string) {
		if strings.HasPrefix(line, "waiting for another process") {
			waiting.Do(func() { close(r.half) })
		}
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, err := n.fetch(t.Context(), Package{Name: name, Version: version}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := r.downloads.Load(); n != 1 {
		t.Errorf("downloaded %d times", n)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	r := halting(t, thing(t))
	var seen sync.Once
	n := r.client(t, func(line string) {
		if strings.Contains(line, " MB after ") {
			seen.Do(func() { close(r.half) })
		}
	})
	if _, err := n.fetch(t.Context(), Package{Name: name, Version: version}); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedFetchesLeaveNothing(t *testing.T) {
	t.Parallel()
	link := tar.Header{Name: "package/link", Typeflag: tar.TypeSymlink, Linkname: "/etc"}
	for label, c := range map[string]struct {
		tarball []byte
		p       Package
		want    string
	}{
		"another file":   {thing(t), Package{Name: name, Version: version, Integrity: integrity(nil)}, "integrity"},
		"unknown":        {thing(t), Package{Name: "@scope/other", Version: version}, "npm pack"},
		"up and out":     {pack(t, tar.Header{Name: "package/../../out"}), Package{Name: name, Version: version}, "out of the package"},
		"absolute":       {pack(t, tar.Header{Name: "/package/x"}), Package{Name: name, Version: version}, "out of the package"},
		"link":           {pack(t, link, tar.Header{Name: "package/link/passwd"}), Package{Name: name, Version: version}, "files only"},
		"name":           {thing(t), Package{Name: "../x", Version: version}, "name"},
		"range":          {thing(t), Package{Name: name, Version: "^1.0.0"}, "exact"},
		"integrity form": {thing(t), Package{Name: name, Version: version, Integrity: "sha1-abc"}, "sha512"},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			n := serve(t, c.tarball).client(t, quiet)
			if _, err := n.fetch(t.Context(), c.p); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want it to say %q", err, c.want)
			}
			left, err := filepath.Glob(filepath.Join(n.cache, "npm", "*"))
			for _, path := range left {
				if err != nil || !strings.HasSuffix(path, ".lock") {
					t.Errorf("%s is left, %v", path, err)
				}
			}
		})
	}
}

func TestInterruptedFetchIsDoneAgain(t *testing.T) {
	t.Parallel()
	r := serve(t, thing(t))
	n, p := r.client(t, quiet), Package{Name: name, Version: version}
	half := filepath.Join(n.cache, "npm", p.slug()+".partial", "unpacked")
	if err := os.MkdirAll(filepath.Join(half, "stale"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := n.fetch(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "stale"), half} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there: %v", path, err)
		}
	}
}

func TestGivenUpFetchStops(t *testing.T) {
	t.Parallel()
	r := halting(t, thing(t))
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("no more patience")
	n := r.client(t, func(line string) {
		if strings.Contains(line, " MB after ") && r.downloads.Load() > 0 {
			cancel(why)
		}
	})
	if _, err := n.fetch(ctx, Package{Name: name, Version: version}); !errors.Is(err, why) {
		t.Errorf("a fetch given up: %v", err)
	}
}

func TestWithoutNPM(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv(CacheEnv, t.TempDir())
	_, err := NPM(t.Context(), Package{Name: name, Version: version}, quiet)
	if err == nil || !strings.Contains(err.Error(), "npm is not installed: run `") {
		t.Errorf("without npm: %v", err)
	}
}

func TestCacheDir(t *testing.T) {
	want := filepath.Join(t.TempDir(), "made")
	t.Setenv(CacheEnv, want)
	got, err := CacheDir()
	if info, statErr := os.Stat(want); got != want || err != nil || statErr != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%s, %v; %v, %v", got, err, info, statErr)
	}
	if err := trusted(want); err != nil {
		t.Errorf("a directory of one's own: %v", err)
	}
	if err := os.Chmod(want, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := trusted(want); err == nil {
		t.Error("a directory that everybody can write is trusted")
	}
}

// FuzzUnpack holds that no tarball writes outside the directory it is unpacked to.
func FuzzUnpack(f *testing.F) {
	f.Add("package/a", byte(tar.TypeReg), "")
	f.Add("package/../../a", byte(tar.TypeReg), "")
	f.Add("package/l", byte(tar.TypeSymlink), "..")
	f.Add("a//../..", byte(tar.TypeDir), "")
	f.Fuzz(func(t *testing.T, name string, kind byte, link string) {
		var out bytes.Buffer
		zipped := gzip.NewWriter(&out)
		archive := tar.NewWriter(zipped)
		if archive.WriteHeader(&tar.Header{Name: name, Typeflag: kind, Linkname: link, Mode: 0o777}) != nil || archive.Close() != nil || zipped.Close() != nil {
			return
		}
		outer := t.TempDir()
		inner := filepath.Join(outer, "inner")
		if err := os.Mkdir(inner, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = unpack(t.Context(), &out, inner) // refusing is fine
		if left, err := os.ReadDir(outer); len(left) != 1 || err != nil {
			t.Errorf("%d entries beside the directory, %v", len(left), err)
		}
	})
}
