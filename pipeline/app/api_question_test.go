package app

import (
	"context"
	"flag"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	questions    = flag.Int("questions", 500, "point questions that are asked")
	questionRate = flag.Int("questions.rate", 2_000, "point questions a second")
)

// TestPointQuestionsBesideAStream asks whether users are in while others change, at a fixed rate: a question that waits
// for its turn counts from when it was due. It reports percentiles and asserts the answers.
func TestPointQuestionsBesideAStream(t *testing.T) {
	t.Parallel()
	s := serve(t, "http: {limits: {requests_per_second: 0}}")
	added := s.want(204, "POST", "/v1/audiences/beta/members?create_audience=true", `{"members": [{"user": {"id": "u1", "plan": "pro"}}]}`)
	s.want(200, "GET", "/v1/audiences/beta/members/u1", "", "Muster-Position: "+added.header.Get("Muster-Position"))
	streaming, stop := context.WithCancel(context.Background())
	var background, asking sync.WaitGroup
	background.Go(func() { churn(streaming, s) })
	took := make([]time.Duration, *questions)
	due := make(chan int, *questions)
	began := time.Now()
	at := func(i int) time.Time { return began.Add(time.Duration(i) * time.Second / time.Duration(*questionRate)) }
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	for range 16 {
		asking.Go(func() {
			for i := range due {
				response, err := client.Get(s.url + "/v1/audiences/beta/members/u1")
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if took[i] = time.Since(at(i)); response.StatusCode != http.StatusOK {
					t.Errorf("question %d: %s", i, response.Status)
				}
			}
		})
	}
	for i := range *questions {
		time.Sleep(time.Until(at(i)))
		due <- i
	}
	close(due)
	asking.Wait()
	client.CloseIdleConnections()
	stop()
	background.Wait()
	slices.Sort(took)
	t.Logf("%d questions at %d a second: p50 %s, p99 %s, most %s", *questions, *questionRate, took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}

// churn keeps the stream busy with users that no client knows.
func churn(ctx context.Context, s *served) {
	conn := connect(s.TB, s.config.Postgres.DSN.Reveal())
	pace := time.NewTicker(10 * time.Millisecond) // busy, but not so that every write waits behind it
	defer pace.Stop()
	for ctx.Err() == nil {
		<-pace.C
		_, err := conn.Exec(ctx, `INSERT INTO users (id, age) SELECT 'other-' || i, 1 FROM generate_series(1, 50) i ON CONFLICT (id) DO UPDATE SET age = users.age + 1`)
		if err != nil && ctx.Err() == nil {
			s.Errorf("churn: %v", err)
			return
		}
	}
}
