package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a self-signed certificate and its key and returns their paths.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "muster"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert = write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	key = write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
	return cert, key
}

func TestTLSConfig(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	c, err := TLS{Enabled: true, CAFile: cert, CertFile: cert, KeyFile: key, ServerName: "broker"}.Config()
	if err != nil {
		t.Fatal(err)
	}
	if c.RootCAs == nil || len(c.Certificates) != 1 || c.ServerName != "broker" || c.InsecureSkipVerify {
		t.Errorf("got %+v", c)
	}
	if c, err = (TLS{CAFile: "ignored"}).Config(); c != nil || err != nil {
		t.Errorf("not enabled: got %v, %v", c, err)
	}
}

func TestTLSFilesAreReadWhenTheConfigurationIs(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	for name, c := range map[string]struct{ ca, cert, key, want string }{
		"right":          {cert, cert, key, ""},
		"absent":         {filepath.Join(t.TempDir(), "ca.pem"), "", "", "ca_file: open "},
		"no certificate": {key, "", "", "holds no certificate in PEM form"},
		"another's key":  {"", cert, cert, "cert_file, key_file: "},
		"both at once":   {key, cert, cert, "ca_file: " + key + " holds no certificate in PEM form; cert_file, key_file: "},
	} {
		environ := []string{"MUSTER_KAFKA_TLS_ENABLED=true", "MUSTER_KAFKA_TLS_CA_FILE=" + c.ca,
			"MUSTER_KAFKA_TLS_CERT_FILE=" + c.cert, "MUSTER_KAFKA_TLS_KEY_FILE=" + c.key}
		_, err := load("", []byte(least), environ)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
