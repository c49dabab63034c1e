package config

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	keys := []string{"dsn", "slot", "publication", "users", "schema", "heartbeat", "max_bytes"}
	for name, want := range map[string]string{
		"dns": "dsn", "Slot": "slot", "publicaton": "publication", "hearbeat": "heartbeat", "user": "users",
		"max-bytes": "max_bytes", "maxbytes": "max_bytes", "topic": "", "x": "", "": "",
	} {
		if got := nearest(name, keys); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
