package block

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

type sample struct {
	kind   string
	values []any
}

// samples are types with values as the official driver takes them.
var samples = []sample{
	{"UInt8", []any{uint8(0), uint8(255)}},
	{"Int64", []any{int64(-1), int64(1) << 62}},
	{"UInt256", []any{big.NewInt(7)}},
	{"Float32", []any{float32(1.5)}},
	{"Bool", []any{true, false}},
	{"String", []any{"", "a", strings.Repeat("long\x00\n", 4000)}},
	{"FixedString(3)", []any{"abc", "xyz"}},
	{"Decimal(9, 2)", []any{decimal.New(314, -2)}},
	{"Decimal(18, 4)", []any{decimal.New(314, -2)}},
	{"Decimal(38, 4)", []any{decimal.New(314, -2)}},
	{"Decimal(76, 4)", []any{decimal.New(314, -2)}},
	{"Date", []any{time.Unix(86400, 0).UTC()}},
	{"Date32", []any{time.Unix(86400, 0).UTC()}},
	{"DateTime('UTC')", []any{time.Unix(1, 0).UTC()}},
	{"DateTime64(6, 'UTC')", []any{time.UnixMicro(1).UTC()}},
	{"UUID", []any{uuid.MustParse("01234567-89ab-cdef-0123-456789abcdef")}},
	{"IPv4", []any{net.ParseIP("127.0.0.1")}},
	{"IPv6", []any{net.ParseIP("::1")}},
	{"Enum8('a)' = 1, 'b\\',' = 2)", []any{"a)"}},
	{"Nullable(Int32)", []any{int32(1), nil}},
	{"Nullable(String)", []any{nil, "x"}},
	{"Array(UInt16)", []any{[]uint16{1, 2}, []uint16{}}},
	{"Array(Array(String))", []any{[][]string{{"a"}, {}}, [][]string{}}},
	{"Array(Nullable(String))", []any{[]*string{nil}}},
	{"Map(String, UInt64)", []any{map[string]uint64{"a": 1}, map[string]uint64{}}},
	{"Tuple(UInt8, String)", []any{[]any{uint8(1), "x"}}},
	{"Tuple(a UInt8, b Array(String))", []any{map[string]any{"a": uint8(1), "b": []string{"x"}}}},
	{"LowCardinality(String)", []any{"a", "b", "a"}},
	{"LowCardinality(String)", many()},
	{"LowCardinality(Nullable(String))", []any{"a", nil}},
	{"Array(LowCardinality(String))", []any{[]string{"a", "b"}, []string{}}},
	{"Map(LowCardinality(String), Array(LowCardinality(String)))", []any{map[string][]string{"k": {"v"}}}},
	{"SimpleAggregateFunction(sum, UInt64)", []any{uint64(9)}},
}

// many are more keys than a byte can number.
func many() (values []any) {
	for i := range 300 {
		values = append(values, fmt.Sprint(i))
	}
	return values
}

// encode has the official driver write one column, in the dialect of a revision.
func encode(t testing.TB, kind string, values []any, revision uint64) []byte {
	t.Helper()
	b := proto.Block{ServerContext: &column.ServerContext{Timezone: time.UTC, VersionMajor: 26}}
	if err := b.AddColumn("c", column.Type(kind)); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	for _, v := range values {
		if kind == "Point" {
			break
		}
		if err := b.Append(v); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	var out chproto.Buffer
	if err := b.Encode(&out, revision); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return out.Buf
}

// TestAgainstTheDriver holds that a block written by the official driver in one dialect comes out as it would write it
// in the other, byte for byte, and that nothing behind the block is touched.
func TestAgainstTheDriver(t *testing.T) {
	t.Parallel()
	const behind = "behind"
	for _, s := range samples {
		t.Run(s.kind, func(t *testing.T) {
			t.Parallel()
			engine, wire := encode(t, s.kind, s.values, 0), encode(t, s.kind, s.values, 54460)
			src := bytes.NewReader(append(bytes.Clone(engine), behind...))
			b, err := ReadPlain(src, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if rest, _ := io.ReadAll(src); string(rest) != behind {
				t.Errorf("%q is left behind the block, want %q", rest, behind)
			}
			if b.Rows != len(s.values) || b.Columns[0].Type != s.kind {
				t.Errorf("%d rows of %s", b.Rows, b.Columns[0].Type)
			}
			if got := b.Protocol(nil); !bytes.Equal(got, wire) {
				t.Errorf("protocol\n got %q\nwant %q", got, wire)
			}
			if b, err = ReadProtocol(bytes.NewReader(wire), 1<<20); err != nil {
				t.Fatal(err)
			}
			if got := b.Plain(nil); !bytes.Equal(got, engine) {
				t.Errorf("plain\n got %q\nwant %q", got, engine)
			}
		})
	}
}

func TestEveryByteIsNeeded(t *testing.T) {
	t.Parallel()
	for _, s := range samples {
		whole := encode(t, s.kind, s.values, 0)
		for n := range min(len(whole), 200) {
			if _, err := ReadPlain(bytes.NewReader(whole[:n]), 1<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s cut to %d of %d bytes: %v", s.kind, n, len(whole), err)
			}
		}
	}
}

func TestVariantAndGeometry(t *testing.T) {
	t.Parallel()
	variant := append([]byte("\x01\x03\x01v\x17Variant(String, UInt16)"), 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 255, 1, 'x', 7, 0)
	point := append([]byte("\x01\x01\x01p\x05Point"), make([]byte, 16)...)
	for _, plain := range [][]byte{variant, point} {
		b, err := ReadPlain(bytes.NewReader(plain), 1<<20)
		if err != nil {
			t.Fatalf("%q: %v", plain, err)
		}
		if got := b.Plain(nil); !bytes.Equal(got, plain) {
			t.Errorf("got %q, want %q", got, plain)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	nested := strings.Repeat("Array(", 100) + "UInt8" + strings.Repeat(")", 100)
	for name, kind := range map[string]string{
		"unknown": "Dynamic", "state": "AggregateFunction(sum, UInt64)", "deep": nested, "open": "Array(UInt8",
		"no size": "FixedString", "wide": "Decimal(99, 1)", "empty tuple": "Tuple()",
	} {
		plain := append([]byte{1, 1, 0}, appendString(nil, kind)...)
		if _, err := ReadPlain(bytes.NewReader(append(plain, make([]byte, 100)...)), 1<<20); err == nil {
			t.Errorf("%s: %s is read", name, kind)
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	for name, plain := range map[string][]byte{
		"rows":    append([]byte("\x01\xff\xff\xff\xff\x0f\x01a\x05UInt8"), 1),
		"columns": []byte("\xff\xff\xff\xff\xff\xff\xff\x0f\x01"),
		"string":  []byte("\x01\x01\x01a\x06String\xff\xff\xff\xff\xff\xff\xff\x0f"),
		"array":   append([]byte("\x01\x01\x01a\x0cArray(UInt8)"), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
		"long":    append([]byte("\x01\x01\x01a\x06String\xff\x7f"), make([]byte, 1<<14)...),
	} {
		if _, err := ReadPlain(bytes.NewReader(plain), 1<<12); err == nil {
			t.Errorf("%s: read beyond the limit", name)
		}
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	b, err := ReadPlain(bytes.NewReader(encode(t, "LowCardinality(String)", []any{"a"}, 0)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	want := "\x01\x00\x02\xff\xff\xff\xff\x00\x01\x00\x01c\x16LowCardinality(String)\x00"
	if got := string(b.Header().Protocol(nil)); got != want {
		t.Errorf("header %q, want %q", got, want)
	}
}

// FuzzRead holds that hostile bytes neither panic nor cost more than the limit, and that what is read is written as it was.
func FuzzRead(f *testing.F) {
	for _, s := range samples {
		f.Add(encode(f, s.kind, s.values, 54460))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ReadProtocol(bytes.NewReader(data), 1<<16)
		if err != nil {
			return
		}
		again, err := ReadProtocol(bytes.NewReader(b.Protocol(nil)), 1<<17)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(b) {
			t.Errorf("%v is read again as %v, %v", b, again, err)
		}
	})
}
