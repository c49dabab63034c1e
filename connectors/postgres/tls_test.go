package postgres_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/connectors/postgres"
	local "muster/deploy/local/postgres"
	"muster/pipeline/event"
)

func TestStreamOverTLS(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), "server")
	server := launch(t, local.Options{Version: "15", Dir: dir, Settings: map[string]string{"fsync": "off"}})
	certify(t, filepath.Join(dir, "data"))
	db := newDatabase(t, "15", server)
	db.run(`ALTER SYSTEM SET ssl = on`)
	db.run(`SELECT pg_reload_conf()`)
	eventually(t, "the server to speak TLS", func() bool { return one[string](db, `SHOW ssl`) == "on" })
	db.run(usersTable)
	source := db.source(func(o *postgres.Options) {
		o.DSN = strings.Replace(o.DSN, "sslmode=disable", "sslmode=require", 1)
		if !strings.Contains(o.DSN, "sslmode=require") {
			o.DSN += "&sslmode=require"
		}
	})
	chunks := snapshot(t, source, event.SnapshotResume{})
	s := start(t, source, chunks[0].Consistent)
	db.run(`INSERT INTO users (id, plan) SELECT g, repeat('x', 100) FROM generate_series(1, 20000) AS g`)
	if got := len(s.changes(20000)); got != 20000 {
		t.Errorf("%d changes", got)
	}
	if !one[bool](db, `SELECT ssl FROM pg_stat_ssl WHERE pid = (SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1)`, db.name) {
		t.Error("the stream is not encrypted")
	}
	// A wait for bytes that a deadline has cut short is no harm to the connection.
	eventually(t, "the acknowledgement", func() bool { return source.Status().AckedLSN >= s.got[len(s.got)-1].End })
	db.mark("after a pause")
	s.until("after a pause")
	if n := source.Status().Reconnects; n != 0 {
		t.Errorf("%d reconnects", n)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if err := source.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// certify makes a certificate that the server's user may read.
func certify(t *testing.T, data string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	for name, block := range map[string]*pem.Block{"server.crt": {Type: "CERTIFICATE", Bytes: certificate}, "server.key": {Type: "EC PRIVATE KEY", Bytes: private}} {
		path := filepath.Join(data, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}
