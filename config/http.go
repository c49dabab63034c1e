package config

import (
	"crypto/sha256"
	"encoding/hex"
)

// HTTP is the listener of the API, the metrics and the probes.
type HTTP struct {
	// The address served, `host:port`; port 0 takes a free one. Off loopback it needs `api_keys`.
	Listen string `yaml:"listen"`
	// The keys that may call the API. Empty: loopback only, and any token is taken.
	APIKeys []APIKey `yaml:"api_keys"`

	// Properties whose values previews and explanations do not show, with all that lies within them: a column, or a path such
	// as `address.street`. Conditions on them are judged as ever, and lists and exports show them: it keeps them out of what is
	// pasted, and is no access control.
	Mask []string `yaml:"mask"`

	Limits HTTPLimits `yaml:"limits"`
}

// APIKey is one key of the API. It is given in one of three forms: key, key_file or sha256.
type APIKey struct {
	// Name of the key in logs, unique.
	Name string `yaml:"name"`
	// The key itself, at least 16 characters.
	Key Secret `yaml:"key"`
	// Instead of the key, its SHA-256 in hex (`printf %s KEY | sha256sum`), so that the file holds no secret.
	SHA256 string `yaml:"sha256"`
	// `read`, `write` (which includes read) or `admin` (which includes both).
	Role string `yaml:"role"`
}

// Hash is the SHA-256 of the key, whichever way it was given: what a presented key's hash is compared with.
func (k APIKey) Hash() (sum [sha256.Size]byte) {
	if k.SHA256 == "" {
		return sha256.Sum256([]byte(k.Key.Reveal()))
	}
	if raw, err := hex.DecodeString(k.SHA256); err == nil {
		copy(sum[:], raw)
	}
	return sum
}

// HTTPLimits bounds what a client may send.
type HTTPLimits struct {
	// The largest request body, 1KB to 1GB.
	Body Size `yaml:"body"`
	// The largest CSV file that an import takes, 1KB to 10GB.
	Import Size `yaml:"import"`
	// Requests that one key may make in a second; more are answered 429. 0: no limit.
	RequestsPerSecond int `yaml:"requests_per_second"`
}
