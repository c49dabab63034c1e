// Package sample holds a small software company's data for the demo, `muster local up`, benchmarks and tests: a users table as
// a product would have it, believable users in it, audiences that a reader understands at a glance, and a load that
// changes the users as a day at work would.
//
//	Seed -> public.users <- Load (sign-ups, visits, plans, cards, moves, deletions)
//	WriteAudiences -> DIR/<key>/audience.json, what the worker reads from audiences.dir
//	WriteBetaTesters -> a CSV file for `muster member import`
//
// Users are the same for the same seed and count, but for the clock: their times lie before and after the moment of seeding,
// so that some audiences move by time alone within the first seconds, with no write at all.
package sample
