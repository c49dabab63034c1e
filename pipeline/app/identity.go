package app

import (
	"context"
	"fmt"

	"muster/config"
	"muster/connectors/postgres"
	"muster/pipeline/state"
)

// identify binds a new state to its database, and holds an old one against it.
func (w *Worker) identify(ctx context.Context) error {
	source, err := w.source.Identity(ctx)
	if err != nil {
		return err
	}
	now := identityOf(w.config, source)
	was, exists, err := w.store.Identity()
	if err != nil {
		return err
	}
	if !exists {
		return w.store.SetIdentity(now)
	}
	head, err := w.store.Head()
	if err != nil {
		return err
	}
	return resumable(was, now, head, source, w.config)
}

func identityOf(c *config.Config, source postgres.Identity) state.Identity {
	return state.Identity{
		SystemID: source.Identifier, Timeline: source.Timeline, Database: source.Database, Slot: c.Postgres.Slot,
		Publication: c.Postgres.Publication, Table: c.Postgres.Users.Table, Environment: c.Environment,
	}
}

// resumable refuses a state from which the slot cannot go on without a gap. Postgres would not: it starts a slot that was
// asked for an earlier position at its own, silently.
func resumable(was, now state.Identity, head state.Head, source postgres.Identity, c *config.Config) error {
	if err := was.Match(now); err != nil {
		return err
	}
	if head.Position == 0 || head.Snapshot.Running {
		return nil
	}
	const repair = "`muster rebuild -c FILE` reads the tables anew and publishes only what differs"
	if !source.Slot.Exists {
		return fmt.Errorf("replication slot %q is gone, and with it the changes since %s; %s", c.Postgres.Slot, head.Position, repair)
	}
	if !source.Serves(head.End) {
		return fmt.Errorf("replication slot %q was moved to %s, beyond the %s that the state in %s has: changes between were lost to it; %s",
			c.Postgres.Slot, source.Slot.ConfirmedFlush, head.End, c.State.Dir, repair)
	}
	return nil
}
