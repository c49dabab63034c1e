package event

import "time"

// Author is who made a change.
type Author struct{ Name, Email string }

// Commit is one version of an audience as it was committed: what, where, by whom and why.
type Commit struct {
	Definition
	ID             uint64 // in the order of commits, over all environments
	Environment    string
	Author         Author
	Message        string
	PromotedFrom   string // the environment it was carried here from, "" when it was committed here
	PromotedCommit uint64 // its commit there
	CreatedAt      time.Time
}

// Audience is what an environment holds under a key: the draft, if there is one and it is asked for, else the latest
// version.
type Audience struct {
	Environment string
	Key         string
	Type        string // dynamic or static
	SHA         string // of Document
	Document    []byte // canonical JSON
	Version     uint32 // the latest committed, 0 when none is or the audience is archived
	Draft       bool   // Document is a draft
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Proposal is a definition that somebody wants an environment to have. Whoever makes it has decoded it.
type Proposal struct {
	Environment string
	Audience    string
	Type        string
	SHA         string
	Document    []byte // canonical JSON
	Base        string // SHA of what it was made from, "" when that is not known
	Force       bool   // whatever was done meanwhile
	Author      Author
	Message     string
}

// Committed names a version that was made.
type Committed struct {
	Audience string `json:"audience"`
	Version  uint32 `json:"version"`
}

// CommitFilter says which commits of an environment are asked for.
type CommitFilter struct {
	Environment string
	Audience    string // "" all
	Next        string // the environment after it, "" when it is the last
	Promoted    *bool  // carried to Next, that commit or a later one of its audience; nil: either
}
