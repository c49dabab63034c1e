package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"muster/connectors/api"
)

// client calls the API, wherever it is served. Requests that may pass are tried again; writes carry an Idempotency-Key, so
// that they are done once.
type client struct {
	origin      string // http://host:port
	key         string
	author      string
	environment string // asked of the server when it is not known
	http        *http.Client
	close       func() error
}

// attempts is how often a request is made before its failure counts.
const attempts = 4

// refusal is an answer that is not a success.
type refusal struct {
	answer
	what string // method and URL
}

// answer is api.Error without its methods.
type answer api.Error

// Error names every fault, one a line.
func (r *refusal) Error() string {
	if r.Status == http.StatusUnauthorized {
		return r.Message + "; name one with --key, MUSTER_API_KEY or a profile"
	}
	if len(r.Errors) == 0 {
		return r.Message
	}
	lines := make([]string, len(r.Errors))
	for i, f := range r.Errors {
		lines[i] = strings.TrimPrefix(f.Field+": "+f.Message, ": ")
	}
	return strings.Join(lines, "\n")
}

// isStatus reports whether an error is an answer of that status.
func isStatus(err error, status int) bool {
	var r *refusal
	return errors.As(err, &r) && r.Status == status
}

// do sends a request with a JSON body, or none when body is nil, and decodes the answer into into, unless that is nil.
func (c *client) do(ctx context.Context, method, path string, query url.Values, body, into any) error {
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return err
		}
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if method != http.MethodGet {
		header.Set("Idempotency-Key", rand.Text())
	}
	for attempt := 1; ; attempt++ {
		response, err := c.send(ctx, method, path, query, header, bytes.NewReader(encoded))
		if err == nil {
			defer response.Body.Close()
			return decode(response, into)
		}
		wait, again := patience(err, attempt)
		if !again {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// patience says whether and when a request is worth another attempt.
func patience(err error, attempt int) (time.Duration, bool) {
	var r *refusal
	if attempt >= attempts || !errors.As(err, &r) {
		return 0, false
	}
	passing := r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable || r.Code == "idempotency_key_in_use"
	return time.Duration(attempt) * time.Second, passing
}

// send sends one request and returns the answer if it is a success, with its body open; else the error is a refusal.
func (c *client) send(ctx context.Context, method, path string, query url.Values, header http.Header, body io.Reader) (*http.Response, error) {
	target := c.origin + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("User-Agent", "muster/"+version)
	if c.author != "" {
		request.Header.Set("Muster-Author", c.author)
	}
	response, err := c.http.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // the URL is said below, without its query
		}
		return nil, fmt.Errorf("cannot reach Muster at %s: %w; name it with --url, a profile or MUSTER_URL, or by its configuration with -c muster.yaml", c.origin, err)
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, refusalOf(response, method+" "+c.origin+path)
}

func refusalOf(response *http.Response, what string) error {
	const enough = 1 << 20
	text, err := io.ReadAll(io.LimitReader(response.Body, enough))
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", what, err)
	}
	r := &refusal{what: what}
	if err := json.Unmarshal(text, &r.answer); err != nil || r.Message == "" {
		return fmt.Errorf("%s: %s, which is no answer of Muster's", what, response.Status)
	}
	r.Status = response.StatusCode
	return r
}

func decode(response *http.Response, into any) error {
	if into == nil || response.StatusCode == http.StatusNoContent {
		_, err := io.Copy(io.Discard, response.Body)
		return err
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// in is the query that says which environment; without one given, the server's first.
func (c *client) in(ctx context.Context) (url.Values, error) {
	if c.environment == "" {
		var page api.Page[api.Environment]
		if err := c.do(ctx, http.MethodGet, "/v1/environments", nil, nil, &page); err != nil {
			return nil, err
		}
		if len(page.Entries) == 0 {
			return nil, fmt.Errorf("%s has no environments; name one with --environment", c.origin)
		}
		c.environment = page.Entries[0].Slug
	}
	return url.Values{"environment": {c.environment}}, nil
}

// all reads a whole list, page by page, until visit returns false.
func all[T any](ctx context.Context, c *client, path string, query url.Values, visit func(*T) bool) error {
	query = url.Values(http.Header(query).Clone())
	query.Set("page_size", strconv.Itoa(100))
	for {
		var page api.Page[T]
		if err := c.do(ctx, http.MethodGet, path, query, nil, &page); err != nil {
			return err
		}
		for i := range page.Entries {
			if !visit(&page.Entries[i]) {
				return nil
			}
		}
		if page.PageInfo.After == nil {
			return nil
		}
		query.Set("after", *page.PageInfo.After)
	}
}
