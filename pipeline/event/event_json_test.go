package event

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"muster/evaluator"
)

func sample() Event {
	return Event{
		Sequence: 1042, Type: Entered, Environment: "production", Audience: "trial-ending", Version: 3, User: "u_42",
		OccurredAt: 820_638_245_678_901, Cause: CauseChange, Trigger: true, EntryCount: 2,
		EnteredAt: 820_638_245_678_901, Position: Position{LSN: 0x1A2B3C8},
	}
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*Event)
		want   string
	}{
		"the contract's example": {
			change: func(*Event) {},
			want: `{"id":"ID","sequence":1042,"type":"audience.entered","environment":"production",` +
				`"audience":"trial-ending","audience_version":3,"user_id":"u_42","tenant":null,` +
				`"occurred_at":"2026-01-02T03:04:05.678901Z","cause":"change","trigger":true,"entry_count":2,` +
				`"entered_at":"2026-01-02T03:04:05.678901Z","position":{"lsn":"0/1A2B3C8","index":0}}`,
		},
		"exit with tenant and properties": {
			change: func(e *Event) {
				e.Type, e.Trigger, e.Tenant, e.Cause = Exited, false, "acme", CauseDelete
				e.Position = Position{LSN: 0xABC_0000_0001, Index: 7}
				e.Properties = []byte(`{"plan":"pro","seats":12}`)
				e.OccurredAt = -1
			},
			want: `{"id":"ID","sequence":1042,"type":"audience.exited","environment":"production",` +
				`"audience":"trial-ending","audience_version":3,"user_id":"u_42","tenant":"acme",` +
				`"occurred_at":"1999-12-31T23:59:59.999999Z","cause":"delete","trigger":false,"entry_count":2,` +
				`"entered_at":"2026-01-02T03:04:05.678901Z","position":{"lsn":"ABC/1","index":7},` +
				`"user":{"plan":"pro","seats":12}}`,
		},
		"strings that need escapes": {
			change: func(e *Event) { e.User = "a\"b\\c\n\r\t\x01/<&>é\u2028\xff𝄞" },
			want: `{"id":"ID","sequence":1042,"type":"audience.entered","environment":"production",` +
				`"audience":"trial-ending","audience_version":3,"user_id":"a\"b\\c\n\r\t\u0001/<&>é` + "\u2028\ufffd" + `𝄞","tenant":null,` +
				`"occurred_at":"2026-01-02T03:04:05.678901Z","cause":"change","trigger":true,"entry_count":2,` +
				`"entered_at":"2026-01-02T03:04:05.678901Z","position":{"lsn":"0/1A2B3C8","index":0}}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := sample()
			c.change(&e)
			got := string(e.AppendJSON([]byte("kept:")))
			if want := "kept:" + strings.Replace(c.want, "ID", e.ID(), 1); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if !json.Valid([]byte(got[len("kept:"):])) {
				t.Errorf("not JSON: %s", got)
			}
		})
	}
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	e, id, buf := sample(), "00000000-0000-8000-8000-000000000000", make([]byte, 0, 1024)
	e.Properties = []byte(`{"plan":"pro"}`)
	if n := testing.AllocsPerRun(100, func() { buf = e.AppendJSONAs(buf[:0], id) }); n != 0 {
		t.Errorf("%v allocations for each event, want none", n)
	}
}

func TestInstantMatchesString(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := evaluator.Instant(rapid.Int64().Draw(t, "instant"))
		if got := string(AppendInstant(nil, i)); got != i.String() {
			t.Fatalf("got %s, want %s", got, i)
		}
	})
}

func drawEvent() *rapid.Generator[Event] {
	text := rapid.String()
	return rapid.Custom(func(t *rapid.T) Event {
		// Years 0001 to 9999: what RFC 3339 and time.Parse can both say.
		instant := rapid.Int64Range(-63_000_000_000_000_000, 252_000_000_000_000_000)
		e := Event{
			Sequence:    rapid.Uint64Min(1).Draw(t, "sequence"),
			Type:        Type(rapid.IntRange(int(Entered), int(Exited)).Draw(t, "type")),
			Environment: rapid.StringN(1, 20, -1).Draw(t, "environment"),
			Audience:    rapid.StringMatching(`[a-z0-9][a-z0-9_-]{0,127}`).Draw(t, "audience"),
			Version:     rapid.Uint32Min(1).Draw(t, "version"),
			User:        text.Draw(t, "user"),
			Tenant:      text.Draw(t, "tenant"),
			OccurredAt:  evaluator.Instant(instant.Draw(t, "occurred")),
			Cause:       Cause(rapid.IntRange(int(CauseChange), int(CauseIdentified)).Draw(t, "cause")),
			EntryCount:  rapid.Uint64Min(1).Draw(t, "count"),
			EnteredAt:   evaluator.Instant(instant.Draw(t, "entered")),
			Position:    Position{LSN: LSN(rapid.Uint64().Draw(t, "lsn")), Index: rapid.Uint32().Draw(t, "index")},
		}
		e.Trigger = e.Type == Entered && rapid.Bool().Draw(t, "trigger")
		if rapid.Bool().Draw(t, "properties") {
			e.Properties, _ = json.Marshal(rapid.MapOf(text, text).Draw(t, "user properties"))
		}
		return e
	})
}

// equal ignores CommittedAt, which is not published.
func equal(a, b Event) bool {
	a.CommittedAt, b.CommittedAt = 0, 0
	return reflect.DeepEqual(a, b)
}

func TestParseJSONIsTheInverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent().Draw(t, "event")
		document := e.AppendJSON(nil)
		got, err := ParseJSON(document)
		if err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		if !equal(got, e) {
			t.Fatalf("got %+v\nwant %+v\nfrom %s", got, e, document)
		}
	})
}

func TestParseJSONRefuses(t *testing.T) {
	t.Parallel()
	e := sample()
	good := string(e.AppendJSON(nil))
	cases := map[string]struct{ from, to, want string }{
		"another id":        {e.ID(), "00000000-0000-8000-8000-000000000000", "what it says makes it"},
		"unknown key":       {`"trigger"`, `"triggers":1,"trigger"`, "unknown field"},
		"absent key":        {`"trigger":true,`, ``, "no trigger"},
		"absent tenant":     {`"tenant":null,`, ``, "no tenant"},
		"empty tenant":      {`"tenant":null`, `"tenant":""`, "none is null"},
		"type":              {"audience.entered", "audience.left", "unknown type"},
		"cause":             {`"change"`, `"chance"`, "unknown cause"},
		"milliseconds":      {"05.678901Z", "05.678Z", "not an instant"},
		"an offset":         {"05.678901Z", "05.678901+00:00", "not an instant"},
		"a lower case lsn":  {"0/1A2B3C8", "0/1a2b3c8", "not one as in"},
		"lsn without slash": {"0/1A2B3C8", "1A2B3C8", "not one as in"},
		"fraction":          {"1042", "1042.5", "cannot unmarshal"},
		"more after it":     {`}}`, `}} {}`, "data after"},
		"user not object":   {`"index":0}`, `"index":0},"user":[]`, "not an object"},
		"no index":          {`,"index":0`, ``, "no position"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := strings.Replace(good, c.from, c.to, 1)
			if document == good {
				t.Fatalf("%q is not in %s", c.from, good)
			}
			if _, err := ParseJSON([]byte(document)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func compileSchema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	file, err := os.Open("../../deploy/event.schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		tb.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("event.schema.json", document); err != nil {
		tb.Fatal(err)
	}
	schema, err := compiler.Compile("event.schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return schema
}

func TestSchemaAcceptsEveryEvent(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent().Draw(t, "event")
		document := e.AppendJSON(nil)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Fatalf("%v\nin %s", err, document)
		}
	})
}

func TestSchemaRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	e := sample()
	good := string(e.AppendJSON(nil))
	for name, change := range map[string][2]string{
		"exit that triggers": {"audience.entered", "audience.exited"},
		"unknown cause":      {`"change"`, `"chance"`},
		"unknown key":        {`"trigger"`, `"triggers":1,"trigger"`},
		"absent key":         {`"entry_count":2,`, ``},
		"sequence zero":      {`1042`, `0`},
		"empty tenant":       {`null`, `""`},
		"milliseconds":       {`05.678901Z`, `05.678Z`},
		"lower case lsn":     {`1A2B3C8`, `1a2b3c8`},
		"version of id":      {e.ID(), "00000000-0000-4000-8000-000000000000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := strings.Replace(good, change[0], change[1], 1)
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
			if err != nil {
				t.Fatal(err)
			}
			if schema.Validate(value) == nil {
				t.Errorf("accepted %s", document)
			}
		})
	}
}

// FuzzParseJSON checks that whatever is accepted is an event whose published form is accepted as the same event.
func FuzzParseJSON(f *testing.F) {
	e := sample()
	f.Add(e.AppendJSON(nil))
	e.Properties, e.Tenant = []byte(`{"a":[1,{"b":null}]}`), "t"
	f.Add(e.AppendJSON(nil))
	f.Fuzz(func(t *testing.T, document []byte) {
		first, err := ParseJSON(document)
		if err != nil {
			return
		}
		again, err := ParseJSON(first.AppendJSON(nil))
		if err != nil || !equal(first, again) {
			t.Fatalf("%v: %+v became %+v", err, first, again)
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	e, buf := sample(), make([]byte, 0, 1024)
	id := e.ID()
	b.ReportAllocs()
	for b.Loop() {
		buf = e.AppendJSONAs(buf[:0], id)
	}
	b.SetBytes(int64(len(buf)))
}
