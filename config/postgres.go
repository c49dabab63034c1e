package config

import "time"

// Postgres is the source: the database whose users are watched.
type Postgres struct {
	// Connection string, `postgres://user:password@host:5432/database?sslmode=require` or `host=... dbname=...`. The role
	// needs REPLICATION and SELECT on the users table. Required.
	DSN DSN `yaml:"dsn"`
	// The logical replication slot. It belongs to one worker.
	Slot string `yaml:"slot"`
	// The publication the slot is read through.
	Publication string `yaml:"publication"`

	Users Users `yaml:"users"`

	// The schema of Muster's own tables: definitions, commits, static members.
	Schema string `yaml:"schema"`
	// Make the slot, the publication and the schema when they are absent. `false`: their absence is an error.
	Create bool `yaml:"create"`
	// Let the API insert and update users in the users table.
	Identify bool `yaml:"identify"`
	// How often an idle database is written a heartbeat, so that the slot does not hold back its log; 1s to 1h.
	Heartbeat time.Duration `yaml:"heartbeat"`
}

// Users names the table of users and its columns.
type Users struct {
	// The table of users, `schema.table`; a name without a schema is in `public`. Names
	// are as Postgres stores them, without quotes, here and in the keys below.
	Table string `yaml:"table"`
	// The column that identifies a user, part of the replica identity.
	ID string `yaml:"id"`
	// A json or jsonb column whose keys are properties too. Empty: none.
	Properties string `yaml:"properties"`
	// The only columns to be read; the id and properties columns are always read. Empty: all columns.
	Columns []string `yaml:"columns"`
}
