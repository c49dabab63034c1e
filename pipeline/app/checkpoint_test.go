package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"muster/pipeline/state"
)

func TestCheckpointsAreWholeAndTwoAreKept(t *testing.T) {
	t.Parallel()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.SetIdentity(state.Identity{SystemID: "1", Slot: "muster"}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "checkpoints")
	for _, left := range []string{"mine", "20200101T000000.000Z" + unfinished} {
		if err := os.MkdirAll(filepath.Join(dir, left), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	var paths []string
	for i := range 3 {
		path, err := checkpoint(store, dir, now.Add(time.Duration(i)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	wantEntries(t, dir, filepath.Base(paths[1]), filepath.Base(paths[2]), "mine")
	if base := filepath.Base(paths[2]); base != "20260102T020407.000Z" {
		t.Errorf("named %s", base)
	}
	restored, err := state.Open(paths[2], state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	identity, exists, err := restored.Identity()
	if err := errors.Join(err, restored.Close()); err != nil || !exists || identity.Slot != "muster" {
		t.Errorf("restored %+v, %t, %v", identity, exists, err)
	}
}

// A disk that fails leaves what was there.
func TestFailedCheckpointLeavesTheOnesBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := checkpoint(half{}, dir, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	if _, err := checkpoint(half{full}, dir, time.Unix(2, 0)); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	wantEntries(t, dir, "19700101T000001.000Z")
}

// half writes something, and then fails or not.
type half struct{ err error }

func (h half) Checkpoint(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), h.err) }

func wantEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if len(have) != len(want) {
		t.Fatalf("folder has %q, want %q", have, want)
	}
	for i := range want {
		if have[i] != want[i] {
			t.Errorf("folder has %q, want %q", have, want)
		}
	}
}
