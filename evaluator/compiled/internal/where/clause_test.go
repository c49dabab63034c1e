package where_test

import (
	"errors"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
	"muster/evaluator/compiled/internal/where"
)

func TestClauses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, condition, clause string }{
		{"text", `{"property":"recipient.plan","operator":"equal_to","argument":"it's"}`,
			`(((((u."plan" IS NULL AND 'it''s'::text = '') OR u."plan"::text = 'it''s'::text)) IS TRUE))`},
		{"empty text is null", `{"property":"recipient.plan","operator":"equal_to"}`,
			`((((u."plan" IS NULL OR u."plan"::text = '')) IS TRUE))`},
		{"relative", `{"property":"recipient.seen","operator":"is_timestamp_before","argument":"2 days ago"}`,
			`(((extract(epoch FROM u."seen") < extract(epoch FROM q.now) + -172800) IS TRUE))`},
		{"document", `{"property":"recipient.doc.b.1","operator":"not_exists"}`,
			`((NOT ((NOT json_null(json_step((u."doc" -> 'b'), '1', 1))) IS TRUE)))`},
		{"hidden", `{"property":"recipient.secret","operator":"exists"}`,
			`(((NOT true) IS TRUE))`},
		{"folding", `{"property":"recipient.plan","operator":"equal_to","argument":"a","ignore_case":true}`, ""},
		{"pattern", `{"property":"recipient.plan","operator":"matches","argument":"^a"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, err := evaluator.Decode([]byte(`{"type":"dynamic","segments":[{"conditions":[`+test.condition+`]}]}`), "a")
			if err != nil {
				t.Fatal(err)
			}
			clause, err := where.New(cases.Schema, nil).Of(d)
			if clause != test.clause || errors.Is(err, where.ErrNotSQL) != (test.clause == "") {
				t.Errorf("got  %s, %v\nwant %s", clause, err, test.clause)
			}
		})
	}
}
