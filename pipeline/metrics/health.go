package metrics

import (
	"encoding/json"
	"fmt"
	"net/http"

	"muster/pipeline"
)

// Health answers the probes of a supervisor.
type Health struct {
	Pipeline *pipeline.Pipeline
	Source   func() Source
}

// Live answers 200 for as long as the process serves at all. A worker that waits for Postgres, Kafka or ClickHouse is
// alive: restarting it would help nobody.
func (h Health) Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// Ready answers 200 when the worker reads the log and every sink takes events, else 503 with the reasons.
func (h Health) Ready(w http.ResponseWriter, _ *http.Request) {
	reasons := h.reasons()
	w.Header().Set("Content-Type", "application/json")
	if len(reasons) > 0 {
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(struct {
		Ready   bool     `json:"ready"`
		Reasons []string `json:"reasons,omitempty"`
	}{len(reasons) == 0, reasons})
}

func (h Health) reasons() []string {
	var reasons []string
	status, source := h.Pipeline.Status(), h.Source()
	switch {
	case source.Waiting:
		reasons = append(reasons, "another worker reads the replication slot; standing by")
	case status.Phase == pipeline.Starting:
		reasons = append(reasons, "starting")
	case status.Phase == pipeline.Snapshotting:
		reasons = append(reasons, fmt.Sprintf("first snapshot: %d of about %d users", status.SnapshotRows, status.SnapshotTotal))
	case status.Phase == pipeline.Rereading:
		reasons = append(reasons, "reading the users table again, since an ALTER TABLE changed rows without a word in the log")
	case !source.Connected:
		reasons = append(reasons, "not connected to Postgres")
	}
	for _, s := range status.Sinks {
		if !s.Ready {
			reasons = append(reasons, fmt.Sprintf("sink %s is not ready", s.Name))
		}
	}
	return reasons
}
