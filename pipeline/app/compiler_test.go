package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"muster/evaluator"
)

var accounts = &evaluator.Schema{Columns: []evaluator.Column{{Name: "id"}, {Name: "account"}}, Properties: -1}

// byAccount are audiences of an account each, so many that each is guessed to be rare.
func byAccount(t *testing.T) []evaluator.Audience {
	t.Helper()
	var audiences []evaluator.Audience
	for i := range 1_200 {
		d, err := evaluator.Decode(fmt.Appendf(nil, `{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.account","operator":"equal_to","argument":"a%d"}]}]}`, i), fmt.Sprintf("k%d", i))
		if err != nil {
			t.Fatal(err)
		}
		audiences = append(audiences, evaluator.Audience{ID: evaluator.AudienceID(i + 1), Definition: d})
	}
	return audiences
}

func ofAccount(t *testing.T, i int) *evaluator.Input {
	t.Helper()
	row, err := evaluator.NewRow(accounts, evaluator.Tuple{}.AppendText([]byte("u")).AppendText(fmt.Appendf(nil, "a%d", i)))
	if err != nil {
		t.Fatal(err)
	}
	return &evaluator.Input{User: "u", Row: row}
}

// TestCompilerPlansAnewByWhatItJudges: a value that was guessed to be rare and is not goes to the lanes while the worker runs,
// without a change of definitions. Judges that are at work follow, and no answer changes.
func TestCompilerPlansAnewByWhatItJudges(t *testing.T) {
	t.Parallel()
	log := new(bytes.Buffer)
	c := newCompiler(slog.New(slog.NewTextHandler(log, nil)))
	c.every = 1
	defer c.Close()
	newJudge, err := c.Compile(byAccount(t), accounts)
	if err != nil {
		t.Fatal(err)
	}
	judges := []*sampling{newJudge().(*sampling), newJudge().(*sampling)}
	first := c.latest.set.Load()
	if hashed, lanes := first.Routes(); hashed != 1_200 || lanes != 0 {
		t.Fatalf("by a guess %d are found by hash and %d are in the lanes", hashed, lanes)
	}
	common, rare := ofAccount(t, 7), ofAccount(t, 8)
	var diff evaluator.Diff
	for end := time.Now().Add(deadline); c.latest.set.Load() == first; {
		if time.Now().After(end) {
			t.Fatal("what is judged changes no plan")
		}
		for i := range replanEvery {
			j, before, after := judges[i%2], common, rare
			if i%3 > 0 {
				before, after = rare, common
			}
			j.Diff(before, after, &diff)
			if len(diff.Changes) != 2 || diff.Changes[0].Audience != 8 || diff.Changes[0].Entered != (after == common) {
				t.Fatalf("%+v", diff.Changes)
			}
		}
	}
	hashed, lanes := c.latest.set.Load().Routes()
	if hashed != 1_198 || lanes != 2 || !strings.Contains(log.String(), "by_hash=1198 in_lanes=2") {
		t.Errorf("then %d are found by hash and %d are in the lanes: %s", hashed, lanes, log)
	}
	for i, j := range judges {
		j.Diff(rare, common, &diff)
		if len(diff.Changes) != 2 || !diff.Changes[0].Entered || j.set == first {
			t.Errorf("judge %d: %+v, by the first plan: %t", i, diff.Changes, j.set == first)
		}
	}
}

// TestCompilerLeavesOtherDefinitionsAlone: what a judge of definitions that are no longer in force has seen is no reason to plan
// for them.
func TestCompilerLeavesOtherDefinitionsAlone(t *testing.T) {
	t.Parallel()
	c := newCompiler(slog.New(slog.DiscardHandler))
	defer c.Close()
	audiences := byAccount(t)
	var plans []*planned
	for _, list := range [][]evaluator.Audience{audiences, audiences[:1_100]} {
		if _, err := c.Compile(list, accounts); err != nil {
			t.Fatal(err)
		}
		plans = append(plans, c.latest)
	}
	was := plans[0].set.Load()
	for range 8_192 {
		c.Statistics().Observe(was, ofAccount(t, 7).Row)
	}
	for _, p := range []*planned{plans[0], plans[1], plans[0]} {
		c.replan(p)
		c.Close() // a plan that was asked for is there
	}
	if plans[0].set.Load() != was {
		t.Error("definitions that are no longer in force were planned anew")
	}
	if c.replan(plans[1]); plans[1].set.Load() == was {
		t.Error("those in force were not")
	}
}
