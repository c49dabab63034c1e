package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// minKey is the least length of a key of the API: with 16 characters of a good generator it cannot be guessed.
const minKey = 16

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (v *validator) http(c HTTP) {
	host, _, err := splitAddress(c.Listen)
	switch {
	case err != nil:
		v.wrong("http.listen", "%q is no address: write host:port, such as 127.0.0.1:8470", c.Listen)
	case len(c.APIKeys) == 0 && !v.bad["http.api_keys"] && !isLoopback(host):
		v.wrong("http.listen", "%q can be reached from other machines and there are no http.api_keys: anybody could "+
			"change audiences; add keys, or listen on 127.0.0.1", c.Listen)
	}
	for i, key := range c.APIKeys {
		v.apiKey(fmt.Sprintf("http.api_keys[%d]", i), key, c.APIKeys[:i])
	}
	for i, property := range c.Mask {
		if strings.TrimSpace(property) == "" {
			v.wrong(fmt.Sprintf("http.mask[%d]", i), "names no property; write a column or a path, such as email")
		}
	}
	within(v, "http.limits.body", c.Limits.Body, Kilobyte, Gigabyte, showSize)
	within(v, "http.limits.import", c.Limits.Import, Kilobyte, 10*Gigabyte, showSize)
	within(v, "http.limits.requests_per_second", c.Limits.RequestsPerSecond, 0, 1_000_000, showInt)
}

// apiKey checks one key against itself and the ones before it. Its messages name keys and never quote them.
func (v *validator) apiKey(at string, k APIKey, before []APIKey) {
	if k.Name == "" {
		v.wrong(at+".name", "is required: it tells the keys apart in the log")
	}
	v.oneOf(at+".role", k.Role, "read", "write", "admin")
	if v.bad[at+".key"] || v.bad[at+".sha256"] {
		return
	}
	switch {
	case k.Key.Empty() && k.SHA256 == "":
		v.wrong(at, "has no key; give one of key, key_file and sha256")
	case !k.Key.Empty() && k.SHA256 != "":
		v.wrong(at+".sha256", "is given beside key; keep one of the two")
	case k.SHA256 != "" && !hashForm.MatchString(k.SHA256):
		v.wrong(at+".sha256", "is no SHA-256: 64 lower-case hex digits, as `printf %%s KEY | sha256sum` prints")
	case k.SHA256 == "" && len(k.Key.Reveal()) < minKey:
		v.wrong(at+".key", "is shorter than %d characters; `openssl rand -hex 24` makes a good one", minKey)
	}
	for _, other := range before {
		switch {
		case k.Name != "" && other.Name == k.Name:
			v.wrong(at+".name", "%q is the name of another key", k.Name)
		case (!k.Key.Empty() || k.SHA256 != "") && other.Hash() == k.Hash():
			v.wrong(at, "is the same key as %q", other.Name)
		}
	}
}

// splitAddress takes host:port with a port of 0 to 65535; the host may be empty, which listeners take as every interface.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q: %w", text, err)
	}
	if strings.ContainsAny(host, "/@ \t\r\n") {
		return "", 0, fmt.Errorf("host %q is no host name", host)
	}
	return host, int(n), nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
