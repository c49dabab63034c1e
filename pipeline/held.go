package pipeline

import "context"

// Exclusive is a Source that one worker at a time reads, as a replication slot is.
type Exclusive interface {
	// Held returns nil once this worker is the one that reads, or nobody else can be known to; it waits while another worker
	// does. It returns the cause when ctx ends.
	Held(ctx context.Context) error
}

// held waits until the source is this worker's. A sink that recovers takes over: it fences the Kafka producer of the worker
// before it. A standby that did so while it waits for the slot would stop the worker it stands by for.
//
// A rebuild does not wait: whoever prepared it made sure that no worker runs, and it fills the outbox before it
// streams, which without sinks would come to a halt when that is full.
func (p *Pipeline) held(ctx context.Context) error {
	source, ok := p.source.(Exclusive)
	if !ok || p.takesOver {
		return nil
	}
	return source.Held(ctx)
}
