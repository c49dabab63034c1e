package api

import (
	"context"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Definitions is the part of the API that manages audience definitions: drafts, commits, promotion and environments.
type Definitions struct {
	Environments []string // in promotion order
	Audiences    Audiences
	Proposals    Proposals
	Commits      Commits
	Versions     Versions
	Promotions   Promotions

	// Columns is the users table that the definitions of an environment are judged over; nil while, or where, it is not known.
	// Without it, columns that cannot be read are refused when a version reaches its worker.
	Columns func(environment string) *evaluator.Schema
}

// Audiences reads what environments hold.
type Audiences interface {
	Audience(ctx context.Context, environment, key string, drafts bool) (event.Audience, error)
	ListAudiences(ctx context.Context, environment string, drafts bool, from string, backward bool, limit int) ([]event.Audience, error)
	Definitions(ctx context.Context, environment string, drafts bool) ([]*evaluator.Definition, error)
}

// Proposals writes drafts and versions of one audience; each answers with the token of its transaction.
type Proposals interface {
	SaveDraft(ctx context.Context, p event.Proposal) (event.Audience, string, error)
	CommitProposal(ctx context.Context, p event.Proposal) (event.Audience, string, error)
	Archive(ctx context.Context, environments []string, audience, message string, author event.Author) (string, error)
}

// Commits reads what was committed.
type Commits interface {
	ListCommits(ctx context.Context, filter event.CommitFilter, from uint64, backward bool, limit int) ([]event.Commit, error)
	Commit(ctx context.Context, id uint64) (event.Commit, error)
	Environments(ctx context.Context) (made time.Time, last map[string]time.Time, err error)
}

// Versions knows the past of one audience.
type Versions interface {
	AudienceType(ctx context.Context, environment, key string) (string, error)
	Version(ctx context.Context, environment, audience string, version uint32) (event.Commit, error)
	Revert(ctx context.Context, environment, audience string, version uint32, message string, author event.Author) (event.Audience, string, error)
}

// Promotions commits drafts and carries commits from one environment to another.
type Promotions interface {
	CommitDrafts(ctx context.Context, environment string, keys []string, message string, author event.Author, force bool) ([]event.Committed, string, error)
	PromoteCommit(ctx context.Context, id uint64, to string, force bool) (event.Commit, string, error)
	PromoteAll(ctx context.Context, from, to string, force bool) ([]event.Committed, string, error)
}

// management is Definitions at work.
type management struct {
	Definitions
	api *API
}

func (d Definitions) register(a *API) {
	m := management{d, a}
	m.registerAudiences()
	m.registerDrafts()
	m.registerCommits()
	m.registerPromotion()
	m.registerEnvironments()
}

// Place is the parameters that say where; embed it.
type Place struct {
	Environment string `query:"environment" required:"true" doc:"The environment." example:"development"`
	Branch      string `query:"branch" doc:"main, or nothing: audiences can only be changed on the main branch."`
}

// environment checks where a request is about.
func (m management) environment(name string) error {
	if !slices.Contains(m.Environments, name) {
		return invalid("environment", "there is no environment %q; there are %s", name, strings.Join(m.Environments, ", "))
	}
	return nil
}

// changeable checks where a write goes.
func (m management) changeable(p Place) error {
	if err := m.environment(p.Environment); err != nil {
		return err
	}
	return onMain(p.Branch)
}

func onMain(branch string) error {
	if branch != "" && branch != "main" {
		return invalid("branch", "audiences can only be changed on the main branch")
	}
	return nil
}

// after is the environment that follows in promotion order, "" behind the last.
func (m management) after(environment string) string {
	if i := slices.Index(m.Environments, environment); i >= 0 && i+1 < len(m.Environments) {
		return m.Environments[i+1]
	}
	return ""
}

// Authored is the header that names who makes a change, for clients that act for people; embed it.
type Authored struct {
	Author string `header:"Muster-Author" doc:"Who makes the change: Ada Lovelace <ada@example.org>. Default: the name of the key."`
}

const maxText = 1_000

func (a Authored) author(ctx context.Context) (event.Author, error) {
	if a.Author == "" {
		return event.Author{Name: callerOf(ctx).Name}, nil
	}
	if len(a.Author) > maxText {
		return event.Author{}, invalid("Muster-Author", "the author has more than %d bytes", maxText)
	}
	if address, err := mail.ParseAddress(a.Author); err == nil {
		return event.Author{Name: address.Name, Email: address.Address}, text("Muster-Author", address.Name)
	}
	return event.Author{Name: a.Author}, text("Muster-Author", a.Author)
}

// text checks a text that is to be stored.
func text(field, s string) error {
	switch {
	case len(s) > maxText:
		return invalid(field, "the text has more than %d bytes", maxText)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return invalid(field, "the text is not UTF-8 without U+0000")
	}
	return nil
}

// keyed refuses what cannot be an audience's key, as something that is not there.
func keyed(key, environment string) error {
	if !evaluator.IsKey(key) {
		return notFound("there is no audience %.140q in %s", key, environment)
	}
	return nil
}

// manages is an endpoint of this part.
func manages(method, path, id, tag, summary string) endpoint {
	e := endpoint{method: method, path: path, id: id, tag: tag, summary: summary, role: RoleRead}
	if method != http.MethodGet {
		e.role = RoleWrite
	}
	return e
}

// Result is the answer of writes that have nothing else to say.
type Result struct {
	Result    string            `json:"result" example:"success"`
	Committed []event.Committed `json:"committed,omitempty" doc:"The versions that were made."`
}
