package native

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"muster/deploy/local/engine/block"
	"muster/deploy/local/engine/chdb"
	"muster/deploy/local/engine/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// encodeHello has the official library write a client's hello.
func encodeHello(revision int, user string) []byte {
	var b chproto.Buffer
	chproto.ClientHello{Name: "test", Major: 1, Minor: 2, ProtocolVersion: revision, Database: "db", User: user, Password: "secret"}.Encode(&b)
	return b.Buf
}

func TestReadHello(t *testing.T) {
	t.Parallel()
	for revision, want := range map[int]int{54454: 54454, 54460: 54460, 60000: 54460} {
		h, err := readHello(newInput(bytes.NewReader(encodeHello(revision, "default"))))
		if err != nil || h != (hello{name: "test", revision: want, database: "db"}) {
			t.Errorf("revision %d: %+v, %v", revision, h, err)
		}
	}
	for name, b := range map[string][]byte{
		"too old": encodeHello(54453, "default"), "server": encodeHello(54460, interServer), "query": {clientQuery}, "HTTP": []byte("GET / HTTP/1.1\r\n\r\n"), "cut": encodeHello(54460, "default")[:9],
	} {
		if h, err := readHello(newInput(bytes.NewReader(b))); err == nil {
			t.Errorf("%s: read as %+v", name, h)
		}
	}
}

// encodeQuery has the official driver write a query, at a revision, without the packet's code.
func encodeQuery(t testing.TB, revision uint64) []byte {
	t.Helper()
	id, span := trace.TraceID{1}, trace.SpanID{2}
	q := proto.Query{
		ID: "id", ClientName: "test", ClientTCPProtocolVersion: revision, Body: "SELECT {p:String}", Compression: true, InitialAddress: "127.0.0.1:1",
		Span:       trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span}),
		Settings:   proto.Settings{{Key: "max_threads", Value: 3, Important: true}, {Key: "custom", Value: "a'b", Custom: true}},
		Parameters: proto.Parameters{{Key: "p", Value: `it's \t`}},
	}
	var b chproto.Buffer
	if err := q.Encode(&b, revision); err != nil {
		t.Fatal(err)
	}
	return b.Buf
}

func TestReadQuery(t *testing.T) {
	t.Parallel()
	want := query{text: "SELECT {p:String}", compressed: true,
		settings: []session.Setting{{Name: "max_threads", Value: "3"}, {Name: "custom", Value: "a'b", Optional: true}},
	}
	for _, revision := range []uint64{54454, 54458, 54460} {
		sent := encodeQuery(t, revision)
		if revision >= revisionParameters {
			want.params = []chdb.Param{{Name: "p", Value: `it's \t`}}
		}
		in := newInput(bytes.NewReader(append(bytes.Clone(sent), "behind"...)))
		got, err := readQuery(in, int(revision))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("revision %d: %+v, %v; want %+v", revision, got, err, want)
		}
		if rest, _ := io.ReadAll(in); string(rest) != "behind" {
			t.Errorf("revision %d: %q is left behind the query", revision, rest)
		}
		for n := range len(sent) {
			if _, err := readQuery(newInput(bytes.NewReader(sent[:n])), int(revision)); err == nil {
				t.Fatalf("revision %d: a query cut to %d of %d bytes is read", revision, n, len(sent))
			}
		}
	}
}

func TestLengthsAreNotBelieved(t *testing.T) {
	t.Parallel()
	long := "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
	if _, err := newInput(strings.NewReader(long)).string(maxQuery); err == nil {
		t.Error("a text without an end is read")
	}
	if _, err := newInput(strings.NewReader("\xff\xff\xff\x1f")).string(maxQuery); !errors.Is(err, io.EOF) {
		t.Errorf("a text that never comes: %v", err)
	}
}

func TestUnquote(t *testing.T) {
	t.Parallel()
	for quoted, want := range map[string]string{`'a'`: "a", `'it\'s'`: "it's", `'\\t\t'`: "\\t\t", `'\\\\'`: `\\`, `plain`: "plain", `'`: "'", `''`: ""} {
		if got := unquote(quoted); got != want {
			t.Errorf("%s is %q, want %q", quoted, got, want)
		}
	}
}

// TestCompressedBlocks sends a block larger than one compressed unit and reads it as a client does.
func TestCompressedBlocks(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("0123456789abcdef"), 3*compressUnit/16)
	sent := block.Block{Rows: len(data), Columns: []block.Column{{Name: "c", Type: "UInt8", Data: data}}}
	for name, settings := range map[string][]session.Setting{
		"lz4": nil, "zstd": {{Name: "network_compression_method", Value: "ZSTD"}}, "none": {{Name: "network_compression_method", Value: "NONE"}},
	} {
		q := query{compressed: true, settings: settings}
		c := &connection{}
		if err := c.writeBlock(q, sent); err != nil {
			t.Fatal(err)
		}
		wire := c.out.buf[2:] // code and table name
		if method := map[string]byte{"lz4": 0x82, "zstd": 0x90, "none": 0x02}[name]; wire[16] != method {
			t.Errorf("%s: method %x, want %x", name, wire[16], method)
		}
		in := newInput(bytes.NewReader(append(bytes.Clone(wire), "behind"...)))
		got, err := block.ReadProtocol(in.blocks, maxBlock)
		if err != nil || !reflect.DeepEqual(got, sent) {
			t.Errorf("%s: another block comes out: %v", name, err)
		}
		if rest, _ := io.ReadAll(in); string(rest) != "behind" {
			t.Errorf("%s: %q is left behind the block", name, rest)
		}
	}
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		code int32
		text string
	}{
		{&chdb.Error{Code: 60, Text: "no table"}, 60, "no table"},
		{&protocolError{errors.New("odd")}, codeProtocol, "bad packet from client: odd"},
		{fmt.Errorf("type X is %w", block.ErrUnsupported), codeNotImplemented, "type X is not supported"},
		{io.ErrUnexpectedEOF, 1002, "unexpected EOF"},
	} {
		var out output
		out.exception(c.err)
		r := chproto.NewReader(bytes.NewReader(out.buf[1:]))
		var got proto.Exception
		if err := got.Decode(r); err != nil || got.Code != c.code || !strings.HasPrefix(got.Message, c.text) {
			t.Errorf("%v is sent as %+v, %v", c.err, got, err)
		}
	}
}

// FuzzConnection feeds a connection's readers with anything: they must neither panic nor reserve what has not come.
func FuzzConnection(f *testing.F) {
	compressed := compress.NewWriter(compress.LevelZero, compress.LZ4)
	if err := compressed.Compress(block.Block{}.Protocol(nil)); err != nil {
		f.Fatal(err)
	}
	f.Add(encodeHello(54460, "default"), encodeQuery(f, 54460), compressed.Data)
	f.Add(encodeHello(54454, "default"), encodeQuery(f, 54454), block.Block{}.Protocol(nil))
	f.Fuzz(func(t *testing.T, first, second, third []byte) {
		h, err := readHello(newInput(bytes.NewReader(first)))
		if err != nil {
			h.revision = revisionOurs
		} else if h.revision < revisionOldest || h.revision > revisionOurs {
			t.Errorf("revision %d is served", h.revision)
		}
		q, err := readQuery(newInput(bytes.NewReader(second)), h.revision)
		if err == nil && len(q.text) > len(second) {
			t.Errorf("a text of %d bytes comes out of %d", len(q.text), len(second))
		}
		c := &connection{in: newInput(bytes.NewReader(append([]byte{clientData, 0}, third...)))}
		_, _, _ = c.readData(q) // whatever it is, it must end
	})
}
