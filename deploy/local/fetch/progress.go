package fetch

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

// watch logs how much has arrived in dir until stop is called; stop waits for it.
func (n npm) watch(dir string, p Package) (stop func()) {
	every := n.every
	if every == 0 {
		every = 3 * time.Second
	}
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		start, tick := time.Now(), time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				n.log(fmt.Sprintf("downloading %s: %.0f MB after %.0f s", p, float64(size(dir))/1e6, time.Since(start).Seconds()))
			}
		}
	})
	return func() { close(done); group.Wait() }
}

// size is the largest file under dir: npm keeps what arrives in one file of its cache and copies it in the end, so the
// sum would count it twice. Files that vanish meanwhile do not matter.
func size(dir string) (most int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			most = max(most, info.Size())
		}
		return nil
	})
	return most
}
