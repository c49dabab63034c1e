package kafka

import "time"

// The requests an Observation can be about.
const (
	RequestProduce  = "produce"
	RequestMetadata = "metadata"
	RequestFence    = "fence" // InitProducerID and the empty transaction, as one
	RequestTails    = "tails" // all reads of all tails after a fence, as one
)

// Observation is one request as the brokers answered it, or failed to.
type Observation struct {
	Request  string
	Elapsed  time.Duration
	Events   int           // acknowledged, of produce
	Bytes    int           // sent, compressed, of produce
	Throttle time.Duration // that the broker asks the client to wait
	Err      error         // nil when it went well
	Kind     string        // of Err, from a small set: a metric's label
}

func (p *Producer) observe(request string, start time.Time, err error) {
	p.o.Observe(Observation{Request: request, Elapsed: time.Since(start), Err: err, Kind: kindOf(err)})
}
