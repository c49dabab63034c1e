package state

import (
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// TestSplitUsersCoversEveryUserOnce walks the parts one after the other and has to meet what one walk meets.
func TestSplitUsersCoversEveryUserOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		store, err := Open("state", Options{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		}()
		common := rapid.SampledFrom([]string{"", "user-", "https://example.org/users/"}).Draw(t, "common")
		ids := rapid.SliceOfNDistinct(rapid.StringOfN(rapid.SampledFrom([]rune("01aé\u00ff\U0010ffff")), 0, 6, -1), 0, 200, rapid.ID[string]).Draw(t, "ids")
		b := store.NewBatch()
		for i := range ids {
			if ids[i] = common + ids[i]; ids[i] == "" {
				ids[i] = "x" // no user has an empty id
			}
			if err := b.SetRecord(ids[i], []byte{0, 0}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Apply(); err != nil {
			t.Fatal(err)
		}
		if err := b.Wait(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
		const least = 8
		starts, err := store.SplitUsers(least)
		if err != nil || !slices.IsSorted(starts) || len(slices.Compact(slices.Clone(starts))) != len(starts) {
			t.Fatalf("starts %q: %v", starts, err)
		}
		if len(ids) >= least && len(starts) < least {
			t.Errorf("%d users in %d parts only: %q", len(ids), len(starts), starts)
		}
		var met []string
		for i := range starts {
			from, to := starts[i], ""
			if i == 0 {
				from = ""
			}
			if i+1 < len(starts) {
				to = starts[i+1]
			}
			err := store.UsersIn(from, to, func(user, _ []byte) (bool, error) {
				met = append(met, string(user))
				return true, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(met, ids) {
			t.Errorf("met %q, want %q", met, ids)
		}
	})
}
