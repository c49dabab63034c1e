package command

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"muster/pipeline/event"
)

// perSecond is how many events a person can still follow.
const perSecond = 12

// printer shows events as they happen: each on a line while they are few, the rest as a count.
type printer struct {
	mu      sync.Mutex
	out     io.Writer
	options demoOptions
	live    bool // the first snapshot's events are not shown one by one

	second  time.Time
	printed int
	skipped int
}

func newPrinter(out io.Writer, o demoOptions) *printer { return &printer{out: out, options: o} }

func (p *printer) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live = true
}

func (p *printer) event(e event.Event, value []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.live || p.options.Quiet || e.Cause == event.CauseSnapshot {
		return
	}
	if p.options.JSON {
		fmt.Fprintf(p.out, "%s\n", value)
		return
	}
	now := time.Now()
	if now.Sub(p.second) >= time.Second {
		p.rest()
		p.second, p.printed = now, 0
	}
	if p.printed == perSecond {
		p.skipped++
		return
	}
	p.printed++
	verb := "entered"
	if e.Type == event.Exited {
		verb = "left   "
	}
	work := ""
	if e.Trigger {
		work = "starts work"
	}
	line := fmt.Sprintf("%s  %s  %s  %-20s %-9s  %s", e.OccurredAt.Time().Local().Format("15:04:05.000"), e.User, verb, e.Audience, e.Cause, work)
	fmt.Fprintln(p.out, strings.TrimRight(line, " "))
}

// rest says how many events of the last second were not shown.
func (p *printer) rest() {
	if p.skipped > 0 {
		fmt.Fprintf(p.out, "              ... and %d more in that second\n", p.skipped)
		p.skipped = 0
	}
}

func (p *printer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live = false
	p.rest()
}
