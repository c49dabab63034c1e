package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

func TestSASL(t *testing.T) {
	t.Parallel()
	for mechanism, method := range map[string]string{
		"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512",
	} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			cluster := startBrokers(t, kfake.EnableSASL(), kfake.Superuser(method, "muster", "secret"))
			o := testOptions(cluster.ListenAddrs())
			o.SASL = &SASL{Mechanism: mechanism, Username: "muster", Password: "secret"}
			deliver(t, newProducer(t, o), makeEvents(1, 50))
			if end := cluster.PartitionInfo(testTopic, 0).HighWatermark; end == 0 {
				t.Error("nothing was written")
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	cluster := startBrokers(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
	o := testOptions(cluster.ListenAddrs())
	o.TLS = &tls.Config{RootCAs: roots}
	deliver(t, newProducer(t, o), makeEvents(1, 50))

	o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "brokers", StatusFails, "certificate")
}

func selfSigned(tb testing.TB) (tls.Certificate, *x509.CertPool) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
