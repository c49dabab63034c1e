package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS secures a connection to a sink.
type TLS struct {
	// Use TLS.
	Enabled bool `yaml:"enabled"`
	// PEM file of the authorities that may sign the server's certificate. Empty: the system's.
	CAFile string `yaml:"ca_file" path:"true"`
	// PEM file of the client's certificate, where the server asks for one; with `key_file`.
	CertFile string `yaml:"cert_file" path:"true"`
	// PEM file of the client's private key.
	KeyFile string `yaml:"key_file" path:"true"`
	// The name that the server's certificate must carry, where it is not the host that is connected to.
	ServerName string `yaml:"server_name"`
	// Take any certificate. For tests only: it gives up authentication of the server.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}

// Config reads the files and returns what crypto/tls needs, or nil when TLS is not enabled.
func (t TLS) Config() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify,
	}
	var caErr, certErr error
	if t.CAFile != "" {
		c.RootCAs, caErr = authorities(t.CAFile)
	}
	if t.CertFile != "" && t.KeyFile != "" {
		var cert tls.Certificate
		if cert, certErr = tls.LoadX509KeyPair(t.CertFile, t.KeyFile); certErr != nil {
			certErr = fmt.Errorf("cert_file, key_file: %w", certErr)
		} else {
			c.Certificates = []tls.Certificate{cert}
		}
	}
	return c, errors.Join(caErr, certErr)
}

func authorities(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM form", path)
	}
	return pool, nil
}
