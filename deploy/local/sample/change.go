package sample

import (
	"math/rand/v2"
	"strconv"
)

// statement is one SQL statement of a change.
type statement struct {
	sql  string
	args []any
}

// kind of change: a name for the statistics, how often it happens, and what it writes about the user of an id.
type kind struct {
	name  string
	write func(rng *rand.Rand, id string) statement
}

// SignUp is the kind of change that adds a user; all others are about one that is there.
const SignUp = "sign-up"

// kinds and how many of a hundred changes they are. A sign-up has no statement here: it needs a new number.
var kinds = []weighted[kind]{
	{kind{"visit", visit}, 46},
	{kind{SignUp, nil}, 12},
	{kind{"onboarding", onboardingStep}, 12},
	{kind{"card", addCard}, 7},
	{kind{"trial", startTrial}, 7},
	{kind{"upgrade", upgrade}, 5},
	{kind{"downgrade", downgrade}, 3},
	{kind{"tag", tag}, 3},
	{kind{"move", move}, 2},
	{kind{"deletion", deletion}, 3},
}

// Visits and card updates are what an application writes most, and most of them change no audience.
func visit(_ *rand.Rand, id string) statement {
	return statement{"UPDATE users SET last_seen_at = now(), updated_at = now() WHERE id = $1", []any{id}}
}

func onboardingStep(rng *rand.Rand, id string) statement {
	step := 1 + rng.IntN(onboardingSteps)
	return statement{`UPDATE users SET updated_at = now(), last_seen_at = now(),
		properties = jsonb_set(properties, '{onboarding}', jsonb_build_object('step', $2::int, 'completed', $3::bool)) WHERE id = $1`,
		[]any{id, step, step == onboardingSteps}}
}

func addCard(rng *rand.Rand, id string) statement {
	return statement{"UPDATE users SET card_on_file = $2, updated_at = now() WHERE id = $1", []any{id, rng.IntN(5) > 0}}
}

// startTrial gives some a pass of minutes instead of two weeks, as a sales team would during a call, so that trials go on ending by
// themselves however long the demo runs.
func startTrial(rng *rand.Rand, id string) statement {
	seconds := int(trialLength.Seconds())
	if rng.IntN(3) == 0 {
		seconds = 20 + rng.IntN(160)
	}
	return statement{`UPDATE users SET plan = 'trial', mrr = 0, trial_ends_at = now() + make_interval(secs => $2::int), updated_at = now()
		WHERE id = $1`, []any{id, seconds}}
}

func upgrade(rng *rand.Rand, id string) statement {
	plan := []string{Starter, Starter, Pro, Pro, Enterprise}[rng.IntN(5)]
	seats := 1 + rng.IntN(12)
	if plan == Enterprise {
		seats += 25
	}
	return statement{`UPDATE users SET plan = $2, seats = $3, mrr = $4::text::numeric, card_on_file = true, trial_ends_at = NULL,
		updated_at = now() WHERE id = $1`, []any{id, plan, seats, strconv.Itoa(seats * pricePerSeat[plan])}}
}

func downgrade(_ *rand.Rand, id string) statement {
	return statement{`UPDATE users SET plan = 'free', seats = 1, mrr = 0, trial_ends_at = NULL, updated_at = now() WHERE id = $1`, []any{id}}
}

func tag(rng *rand.Rand, id string) statement {
	name := []string{"advocate", "vip", "needs-call"}[rng.IntN(3)]
	return statement{`UPDATE users SET updated_at = now(),
		tags = CASE WHEN $2::text = ANY (tags) THEN array_remove(tags, $2::text) ELSE array_append(tags, $2::text) END WHERE id = $1`,
		[]any{id, name}}
}

func move(rng *rand.Rand, id string) statement {
	return statement{"UPDATE users SET country = $2, updated_at = now() WHERE id = $1", []any{id, choose(rng, countries)}}
}

func deletion(_ *rand.Rand, id string) statement {
	return statement{"DELETE FROM users WHERE id = $1", []any{id}}
}

// signUp is a new user, on a trial without a card more often than not.
func signUp(rng *rand.Rand, number int64) statement {
	u := identity(rng, number)
	plan, seconds := Trial, any(int(trialLength.Seconds()))
	if rng.IntN(3) == 0 {
		plan, seconds = Free, nil
	}
	return statement{`INSERT INTO users (id, email, name, plan, country, trial_ends_at, last_seen_at, properties)
		VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6::int), now(), $7)`,
		[]any{u.ID, u.Email, u.Name, plan, u.Country, seconds, u.Properties.JSON()}}
}
