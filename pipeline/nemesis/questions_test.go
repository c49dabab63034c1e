package nemesis

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	questionRate    = 2_000 // a second
	questionClients = 16    // connections
)

// BenchmarkQuestionsBesideBacklog asks a worker whether users are in an audience, at a fixed rate over HTTP, while it works
// off a backlog as fast as it can. A question counts from when it was due, whenever its turn came; it reports percentiles.
// The worker is a process of its own, the servers, the broker and the client share the processors with it.
func BenchmarkQuestionsBesideBacklog(b *testing.B) {
	w := newBacklogWorld(b)
	k := w.newWorker()
	k.start()
	k.ready()
	quiet := k.ask(b, nil, 2*questionRate)
	var busy []time.Duration
	k.stop()
	for range b.N {
		b.StopTimer()
		w.exec(backlogSQL(*backlogUsers, *backlogChanges))
		k.start()
		k.ready()
		b.StartTimer()
		busy = append(busy, k.ask(b, func() bool { return k.delivered(float64(*backlogChanges)) }, 0)...)
		b.StopTimer()
		k.stop()
	}
	report := func(when string, took []time.Duration) {
		slices.Sort(took)
		for _, p := range []int{50, 90, 99} {
			b.ReportMetric(float64(took[len(took)*p/100].Microseconds()), fmt.Sprintf("%s-us-p%d", when, p))
		}
	}
	report("quiet", quiet)
	report("busy", busy)
	b.ReportMetric(float64(len(busy)), "questions")
	b.Logf("%d processors, %s, %s, %s", runtime.NumCPU(), runtime.Version(), value[string](w, `SHOW server_version`), load())
}

// ask asks until enough says so, or n questions, and returns how long each answer took.
func (k *worker) ask(b *testing.B, enough func() bool, n int) []time.Duration {
	due := make(chan time.Time, questionRate)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: questionClients}}
	var mu sync.Mutex
	var took []time.Duration
	var asking sync.WaitGroup
	for i := range questionClients {
		asking.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			var mine []time.Duration
			for at := range due {
				response, err := client.Get(fmt.Sprintf("http://%s/v1/audiences/pro/members/u%d", k.api, 1+random.IntN(*backlogUsers)))
				if err != nil {
					b.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if mine = append(mine, time.Since(at)); response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNotFound {
					b.Errorf("a question was answered %s", response.Status)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	began, looked := time.Now(), time.Now()
	for i := 0; n == 0 || i < n; i++ {
		at := began.Add(time.Duration(i) * time.Second / questionRate)
		time.Sleep(time.Until(at))
		due <- at
		if n == 0 && time.Since(looked) > time.Second {
			if looked = time.Now(); enough() {
				break
			}
		}
	}
	close(due)
	asking.Wait()
	client.CloseIdleConnections()
	return took
}
