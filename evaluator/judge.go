package evaluator

// AudienceID is the number that the state gives an audience key when it first sees it. It is never reused.
type AudienceID uint32

// Given is a membership that is not computed from conditions but given by the state: of a static audience, with or
// without ("") a tenant. Conditions on it (is_audience_member) read it as an input.
type Given struct {
	Audience AudienceID
	Tenant   string
}

// Input is one user at one instant.
type Input struct {
	User  string  // id, as text
	Row   *Row    // nil: the user is absent, every leaf is false and Given is empty
	Now   Instant // the clock of relative conditions
	Given []Given // ascending by (Audience, Tenant)
}

// Change is one audience whose verdict differs between two inputs.
type Change struct {
	Audience AudienceID
	Entered  bool // else exited
	// Own reports that a condition of the audience's own changed its verdict, some leaf other than is_audience_member
	// and is_not_audience_member; false means that the change comes by reference only.
	Own bool
}

// Diff is the outcome of a comparison. Reuse one value: its slice is kept.
type Diff struct {
	Changes []Change // dynamic audiences only; an audience comes after every audience it refers to
	// NextFlip is the earliest instant after the later input's Now at which time alone, with row and given
	// memberships as they are, changes the verdict of any audience; NoInstant when there is none.
	NextFlip Instant
	// Visited counts the predicates that were looked at to find the changes: found by their value, or judged one by one. It
	// shows whether the work follows the change. A judge that looks at all of them anyway may leave it 0.
	Visited int
}

// Match is the outcome of judging one input. Reuse one value: its slice is kept.
type Match struct {
	Members  []AudienceID // dynamic audiences whose conditions hold, ascending
	NextFlip Instant      // as in Diff
}
