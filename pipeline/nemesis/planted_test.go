package nemesis

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A plant is a bug for a validator to find: in a file of the product, one text becomes another. It is built into a program
// of its own by the compiler's overlay; the product holds no switches for it.
type plant struct {
	name     string
	bites    string // the validators of which at least one must find it
	file     string // from the root of the module
	was, is  string
	worker   bool // the program gives up where it should not, which counts as well
	attempts int  // rounds it may take; bugs that need a kill at just the wrong moment take some
}

var plants = []plant{
	{
		name: "acknowledged before it is on disk, and the disk is slow", bites: "f", worker: true, attempts: 4,
		file: "pipeline/commit.go",
		was:  "	if err := w.Apply(); err != nil {\n",
		is:   "	p.source.Acknowledge(b.head.End)\n	time.Sleep(150 * time.Millisecond)\n	if err := w.Apply(); err != nil {\n",
	},
	{
		name: "the tail of the topic is not read", bites: "c", attempts: 3,
		file: "sinks/kafka/recover.go",
		was:  "		if t.sequence > part.last {\n",
		is:   "		if t.sequence > part.last && false {\n",
	},
	{
		name: "a batch is sent again by a new session without looking", bites: "c", attempts: 3,
		file: "sinks/kafka/recover.go",
		was:  "		if t.sequence > part.last {\n",
		is:   "		if t.sequence > part.last && part.last == 0 {\n",
	},
	{
		name: "now and then a timer is dropped", bites: "e", attempts: 2,
		file: "pipeline/commit.go",
		was:  "		if err := w.MoveTimer(s.user, s.flip, s.record.Flip); err != nil {\n",
		is:   "		next := s.record.Flip\n		if next%3 == 0 {\n			next = evaluator.NoInstant\n		}\n		if err := w.MoveTimer(s.user, s.flip, next); err != nil {\n",
	},
	{
		name: "a truncated table keeps its users", bites: "a", attempts: 3,
		file: "pipeline/large.go",
		was:  "			return s.batch.Stage(user, state.StagedChange{Ordinal: s.ordinal, Op: event.Delete})\n",
		is:   "			return nil\n",
	},
	{
		name: "a user's events go to any partition", bites: "b", attempts: 1,
		file: "sinks/kafka/deliver.go",
		was:  "kafkago.Message{Key: p.key}",
		is:   "kafkago.Message{Key: append(p.key, byte(e.Sequence))}",
	},
	{
		name: "an insert that failed is not repeated", bites: "d", attempts: 3,
		file: "sinks/clickhouse/insert.go",
		was:  "			return s.send(clickhouse.Context(ctx, clickhouse.WithSettings(insertSettings(token))), statement, columns)\n",
		is:   "			_ = s.send(clickhouse.Context(ctx, clickhouse.WithSettings(insertSettings(token))), statement, columns)\n			return nil\n",
	},
	{
		name: "a key that changes leaves its old user behind", bites: "ae", attempts: 1,
		file: "pipeline/queue.go",
		was:  "			b.touch(c.OldUser, gone)\n",
		is:   "			_ = gone\n",
	},
}

// TestNemesisFindsPlantedBugs shows that each validator bites. It belongs to the long form: each bug is a build.
func TestNemesisFindsPlantedBugs(t *testing.T) {
	if *rounds == 0 {
		t.Skip("part of the long form: make nemesis ROUNDS=1")
	}
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			program := p.build(t)
			for i := range p.attempts {
				found := make(map[string]int)
				n := ravage(t, program, *seed+uint64(i), *harms)
				for _, v := range n.found {
					found[v.validator]++
				}
				t.Logf("violations by validator: %v", found)
				for validator := range found {
					if strings.Contains(p.bites, validator) || p.worker && validator == "-" {
						return
					}
				}
			}
			t.Errorf("not found by any of %q", p.bites)
		})
	}
}

// build builds the worker with the bug in it.
func (p plant) build(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(root, p.file)
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), p.was) != 1 {
		t.Fatalf("%s holds %q %d times; plant the bug anew", p.file, p.was, strings.Count(string(text), p.was))
	}
	dir := t.TempDir()
	changed, overlay, program := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "muster")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{changed: strings.Replace(string(text), p.was, p.is, 1), overlay: string(replace)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build(t, program, "-overlay", overlay)
	return program
}

// build builds the worker as users have it, without the race detector that these tests may run under.
func build(t *testing.T, program string, flags ...string) {
	t.Helper()
	c := exec.Command("go", append(append([]string{"build"}, flags...), "-o", program, ".")...)
	c.Dir = "../.."
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
}
