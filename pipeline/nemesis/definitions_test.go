package nemesis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/evaluator"
)

// variant is another definition that an audience has at times. An empty document archives it.
type variant struct {
	document string
	own      []string
	holds    string
	flips    []string
}

// changing are the audiences whose definition changes while the worker runs, with what they become beside what they are at
// first. Nobody refers to those that are archived now and then, or are not there at first.
var changing = map[string][]variant{
	"high-score": {
		{document: `{"type":"dynamic","trigger_frequency":"once_per_user","segments":[{"conditions":[` + condition("score", "greater_than_or_equal_to", "60") + `]}]}`,
			own: []string{`(u).score >= 60`}, holds: `own[1]`},
		{},
	},
	"recent": { // two others depend on it
		{document: dynamic(condition("seen_at", "is_timestamp_on_or_after", `"59 minutes ago"`)),
			own:   []string{`(u).seen_at >= at - interval '59 minutes'`},
			holds: `own[1]`, flips: []string{`(u).seen_at + interval '59 minutes' + interval '1 microsecond'`}},
	},
	"italian-or-idle": {
		{document: dynamic(condition("country", "equal_to", `"FR"`), condition("plan", "equal_to", `"pro"`)),
			own: []string{`(u).properties ->> 'country' = 'FR'`, `(u).plan = 'pro'`}, holds: `own[1] AND own[2]`},
		{},
	},
	"late": {
		{document: dynamic(condition("plan", "equal_to", `"free"`), `{"operator":"is_audience_member","argument":"recent"}`),
			own: []string{`(u).plan = 'free'`}, holds: `own[1] AND is_in('recent')`},
		{},
	},
}

// variants are all that an audience ever is; the first is what it is at the start, if it is there then.
func (a *audience) variants() []variant {
	var list []variant
	if a.document != "" {
		list = append(list, variant{a.document, a.own, a.holds, a.flips})
	}
	return append(list, changing[a.key]...)
}

// sha is that of a variant's definition, as rows of commits name it; of an archived one it is "".
func (v *variant) sha(key string) string {
	if v.document == "" {
		return ""
	}
	d, err := evaluator.Decode([]byte(v.document), key)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", key, err)) // of this file
	}
	return d.SHA()
}

// defineEvery is how often a definition changes.
const defineEvery = 400 * time.Millisecond

// startDefiner begins to commit new versions of the audiences that change: other conditions, those from before again, no
// audience at all. Their files are gone from then on, or each start of the worker would commit what is in them.
func (w *world) startDefiner(seed uint64) *meddler {
	w.Helper()
	for key := range changing {
		if err := os.RemoveAll(filepath.Join(w.dir, "audiences", key)); err != nil {
			w.Fatal(err)
		}
	}
	w.changes = true
	return w.meddle(defineEvery, rand.New(rand.NewPCG(seed, 1000)), func(conn *pgx.Conn, r *rand.Rand) error {
		a := &audiences[r.IntN(len(audiences))]
		versions := a.variants()
		if len(versions) == 1 {
			return nil
		}
		v := versions[r.IntN(len(versions))]
		_, err := conn.Exec(context.Background(), commitSQL, a.key, v.sha(a.key), v.document)
		return err
	})
}

// commitSQL writes a version as everybody does who defines audiences. One that is archived keeps a document.
const commitSQL = `
INSERT INTO muster.commits (environment, audience, version, sha, document, archived)
SELECT 'nemesis', $1, coalesce(max(version), 0) + 1, coalesce(nullif($2::text, ''), max(sha)), coalesce(nullif($3::text, ''), max(document)), $2 = ''
  FROM muster.commits WHERE environment = 'nemesis' AND audience = $1 HAVING $2 <> '' OR count(*) > 0`
