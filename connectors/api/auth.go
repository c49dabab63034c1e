package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Role is what a key may do. Each includes the ones before.
type Role uint8

const (
	RoleNone  Role = iota // what anybody may see: the OpenAPI document
	RoleRead              // look
	RoleWrite             // change members, users and definitions
	RoleAdmin             // profile the process
)

var roleNames = [...]string{"none", "read", "write", "admin"}

// String is the role's name in the configuration.
func (r Role) String() string { return roleNames[r] }

// ParseRole reads a role's name.
func ParseRole(name string) (Role, error) {
	for role, known := range roleNames {
		if known == name && role > 0 {
			return Role(role), nil
		}
	}
	return RoleNone, fmt.Errorf("role %q is none of read, write and admin", name)
}

// Key is one key that callers may present.
type Key struct {
	Name string
	Role Role
	Hash [sha256.Size]byte // SHA-256 of the key
}

// Caller is who made a request.
type Caller struct {
	Name string // of the key; "anonymous" when there are no keys
	Role Role
}

type callerKey struct{}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// gate knows the keys and how often each was used lately.
type gate struct {
	keys     []Key
	limiters []*rate.Limiter // of the keys, and the last of everybody else
	browsers *http.CrossOriginProtection
}

func newGate(keys []Key, perSecond int) *gate {
	g := &gate{keys: keys, browsers: http.NewCrossOriginProtection()}
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	for range len(keys) + 1 {
		g.limiters = append(g.limiters, rate.NewLimiter(limit, max(1, perSecond)))
	}
	return g
}

// authorize lets a request through whose key has the role and has not been used too often.
func (a *API) authorize(e endpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, limiter, refused := a.gate.identify(r, tokenOf(e, r))
		if e.role == RoleNone {
			refused = nil
		}
		if refused == nil && caller.Role < e.role {
			refused = &Error{Status: http.StatusForbidden, Code: "role_too_low", Message: fmt.Sprintf(
				"the key %q has the role %s and this needs %s", caller.Name, caller.Role, e.role)}
		}
		if refused == nil {
			refused = exhausted(limiter)
		}
		if refused != nil {
			if refused.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
			a.write(w, refused)
			return
		}
		noteCaller(w, caller)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

// tokenOf is the key that a request presents: in its header, or in the query where the endpoint serves a vendor that may
// be unable to set one.
func tokenOf(e endpoint, r *http.Request) string {
	if token := bearerToken(r); token != "" || e.keyParameter == "" {
		return token
	}
	return r.URL.Query().Get(e.keyParameter)
}

// identify finds out who calls.
func (g *gate) identify(r *http.Request, token string) (Caller, *rate.Limiter, *Error) {
	everybody := g.limiters[len(g.keys)]
	if len(g.keys) == 0 {
		return Caller{Name: "anonymous", Role: RoleAdmin}, everybody, g.neighbour(r)
	}
	if token == "" {
		return Caller{}, everybody, &Error{Status: http.StatusUnauthorized, Code: "api_key_required",
			Message: "send a key: Authorization: Bearer KEY"}
	}
	hash := sha256.Sum256([]byte(token))
	found := -1
	for i := range g.keys { // all of them, always: time must not tell how near a guess was
		if subtle.ConstantTimeCompare(hash[:], g.keys[i].Hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Caller{}, everybody, &Error{Status: http.StatusUnauthorized, Code: "api_key_invalid",
			Message: "the key is none of http.api_keys"}
	}
	return Caller{Name: g.keys[found].Name, Role: g.keys[found].Role}, g.limiters[found], nil
}

// neighbour refuses what must not come in where no key is asked for: other machines, and pages of other sites in a
// browser on this one, be it by a form, a script or a name that was made to resolve to this machine.
func (g *gate) neighbour(r *http.Request) *Error {
	refuse := func(format string, args ...any) *Error {
		return &Error{Status: http.StatusForbidden, Code: "loopback_only", Message: fmt.Sprintf(format, args...) +
			"; without http.api_keys only programs on this machine are served"}
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && !from.Addr().Unmap().IsLoopback() {
		return refuse("the request comes from %s", from.Addr())
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && !strings.EqualFold(host, "localhost") {
		return refuse("the request was sent to the name %q", host)
	}
	if err := g.browsers.Check(r); err != nil {
		return refuse("a page of another site sent the request")
	}
	return nil
}

func bearerToken(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// exhausted takes one request off the limiter, or says when there will be another.
func exhausted(limiter *rate.Limiter) *Error {
	reservation := limiter.Reserve()
	wait := reservation.Delay()
	if wait == 0 {
		return nil
	}
	reservation.Cancel()
	seconds := time.Duration(math.Ceil(wait.Seconds())) * time.Second
	return &Error{Status: http.StatusTooManyRequests, Code: "rate_limited", retryAfter: seconds,
		Message: fmt.Sprintf("this key makes more than %v requests a second (http.limits.requests_per_second)", limiter.Limit())}
}
