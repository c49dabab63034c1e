package app

import "fmt"

// broken is how the store of a command says that its disk refused a write.
type broken chan error

func newBroken() broken { return make(broken, 1) }

// tell is for state.Options.Failed.
func (b broken) tell(err error) {
	select {
	case b <- err:
	default:
	}
}

// unless does work and returns what came of it, or that the disk refused a write, and then what to do. Work may never
// return in that case, since what writes to the store waits for ever; nothing is to be saved by it. What is on the disk is
// consistent, and the next start goes on from it.
func (b broken) unless(repair string, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	var err error
	select {
	case err = <-done:
	case refused := <-b:
		return fmt.Errorf("%w; %s", refused, repair)
	}
	select {
	case refused := <-b: // it is the reason of whatever work says
		return fmt.Errorf("%w; %s", refused, repair)
	default:
		return err
	}
}
