package sample

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// User is a row of the users table.
type User struct {
	ID, Email, Name, Plan, Country string
	SignedUpAt                     time.Time
	TrialEndsAt, LastSeenAt        *time.Time
	CardOnFile                     bool
	MRR                            int // whole euros
	Seats                          int
	Tags                           []string
	Properties                     Properties
}

// Properties is the document in which the application keeps what has no column.
type Properties struct {
	Company    Company    `json:"company"`
	Onboarding Onboarding `json:"onboarding"`
	Source     string     `json:"source"`
	Newsletter bool       `json:"newsletter"`
}

// Company is where the user works.
type Company struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

// Onboarding is how far the user has come since signing up.
type Onboarding struct {
	Step      int  `json:"step"` // 0 to 5
	Completed bool `json:"completed"`
}

// The plans, and what a seat of the paid ones costs a month.
const (
	Free       = "free"
	Trial      = "trial"
	Starter    = "starter"
	Pro        = "pro"
	Enterprise = "enterprise"
)

var pricePerSeat = map[string]int{Starter: 12, Pro: 29, Enterprise: 49}

var plans = []weighted[string]{{Free, 40}, {Trial, 25}, {Starter, 18}, {Pro, 13}, {Enterprise, 4}}

const (
	onboardingSteps = 5
	trialLength     = 14 * 24 * time.Hour
	day             = 24 * time.Hour
)

// weighted is a choice and how often it is taken in relation to the others.
type weighted[T any] struct {
	value  T
	weight int
}

func choose[T any](rng *rand.Rand, choices []weighted[T]) T {
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	at := rng.IntN(total)
	for _, c := range choices {
		if at -= c.weight; at < 0 {
			return c.value
		}
	}
	panic("unreachable: the weights add up to the total")
}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }

// within is a random duration from 0 up to d.
func within(rng *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(d))).Truncate(time.Microsecond)
}

// ID of the user of that number, from 1.
func ID(number int64) string { return fmt.Sprintf("u_%06d", number) }

// stream is the random numbers of one user or one change: what happens to it does not depend on any other.
func stream(seed uint64, number int64) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(number))) }

// NewUser is the user of that number, as of now: the same for the same seed and now.
func NewUser(seed uint64, number int64, now time.Time) User {
	rng := stream(seed, number)
	u := identity(rng, number)
	u.Plan = choose(rng, plans)
	switch u.Plan {
	case Trial:
		onTrial(rng, &u, now)
	case Free:
		u.SignedUpAt = now.Add(-within(rng, 500*day))
	default:
		u.SignedUpAt = now.Add(-20*day - within(rng, 900*day))
		paying(rng, &u)
	}
	seen := lastSeen(rng, u.SignedUpAt, now)
	u.LastSeenAt = &seen
	u.Properties.Onboarding = onboarding(rng, now.Sub(u.SignedUpAt))
	return u
}

// identity is what about a user does not depend on plan and time.
func identity(rng *rand.Rand, number int64) User {
	first, last := pick(rng, firstNames), pick(rng, lastNames)
	company := Company{Name: pick(rng, companies), Size: 1 << rng.IntN(11)}
	company.Size += rng.IntN(company.Size)
	return User{
		ID:      ID(number),
		Name:    first + " " + last,
		Email:   fmt.Sprintf("%s.%s.%d@%s.example", mailbox(first), mailbox(last), number, mailbox(company.Name)),
		Country: choose(rng, countries),
		Seats:   1,
		Tags:    []string{},
		Properties: Properties{
			Company:    company,
			Source:     choose(rng, sources),
			Newsletter: rng.IntN(3) > 0,
		},
	}
}

// mailbox is the name in the letters that an address may hold without being quoted: José is jose.
func mailbox(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(norm.NFD.String(name)))
}

// onTrial gives most trials an end within the next two weeks, some one that is over and not acted upon, and one in five an
// end within three minutes, which is what moves by itself in a short demo.
func onTrial(rng *rand.Rand, u *User, now time.Time) {
	var ends time.Time
	switch n := rng.IntN(10); {
	case n < 2:
		ends = now.Add(within(rng, 3*time.Minute))
	case n < 3:
		ends = now.Add(-within(rng, 10*day))
	default:
		ends = now.Add(within(rng, trialLength))
	}
	u.TrialEndsAt = &ends
	u.SignedUpAt = ends.Add(-trialLength)
	u.CardOnFile = rng.IntN(4) == 0
}

func paying(rng *rand.Rand, u *User) {
	u.CardOnFile = rng.IntN(20) > 0 // some pay by invoice
	u.Seats = 1 + rng.IntN(8)
	if u.Plan == Enterprise {
		u.Seats += 20 + rng.IntN(200)
	}
	u.MRR = u.Seats * pricePerSeat[u.Plan]
	if rng.IntN(6) == 0 {
		u.Tags = append(u.Tags, "advocate")
	}
	if rng.IntN(10) == 0 {
		u.Tags = append(u.Tags, "vip")
	}
}

// lastSeen has a few users online right now, most seen within weeks and some not for months.
func lastSeen(rng *rand.Rand, signedUp, now time.Time) time.Time {
	ago := within(rng, 21*day)
	switch n := rng.IntN(100); {
	case n < 6:
		ago = within(rng, time.Minute)
	case n < 40:
		ago = within(rng, day)
	case n >= 85:
		ago = 21*day + within(rng, 200*day)
	}
	if seen := now.Add(-ago); seen.After(signedUp) {
		return seen
	}
	return signedUp
}

func onboarding(rng *rand.Rand, age time.Duration) Onboarding {
	step := rng.IntN(onboardingSteps + 1)
	if age > 30*day && rng.IntN(5) > 0 {
		step = onboardingSteps
	}
	return Onboarding{Step: step, Completed: step == onboardingSteps}
}

// JSON of the document.
func (p Properties) JSON() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic("properties are strings, numbers and booleans: " + err.Error())
	}
	return string(text)
}
