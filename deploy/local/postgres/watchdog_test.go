package postgres

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"testing"
	"time"

	"muster/deploy/local/loopback"
)

// childEnv marks a run of the test binary that starts a server, says where, and waits to be killed.
const childEnv = "MUSTER_POSTGRES_TEST_CHILD"

func child() {
	s, err := Start(context.Background(), Options{Version: os.Getenv(childEnv), Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.Port(), s.dir)
	select {}
}

// until waits for a condition, with a deadline that is only reached when the test fails.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

func TestNothingIsLeftWhenTheParentIsKilled(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cmd := osexec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+version)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, readErr := bufio.NewReader(out).ReadString('\n')
			var port int
			var dir string
			if _, err := fmt.Sscan(line, &port, &dir); err != nil || readErr != nil {
				t.Errorf("the child says %q: %v, %v", line, err, readErr)
			}
			if port != 0 && !listens(port) {
				t.Error("the child's server does not listen")
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if t.Failed() {
				return
			}
			until(t, "its folder is gone", func() bool { return !exists(t, dir) })
			if listens(port) { // the folder goes last
				t.Error("the server outlived its parent and its folder")
			}
		})
	}
}

func listens(port int) bool {
	conn, err := net.Dial("tcp", loopback.Address(port))
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}
