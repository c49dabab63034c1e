package local

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// childEnv marks a run of the test binary that brings up a stack, says where, and waits to be killed.
const childEnv = "MUSTER_LOCAL_TEST_CHILD"

func child() {
	s, err := Up(context.Background(), Options{PostgresSettings: quick})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	line, err := json.Marshal(s.Info())
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
	select {}
}

func TestNothingIsLeftWhenTheProgramIsKilled(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	var info Info
	parseErr := json.Unmarshal([]byte(line), &info)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if readErr != nil || parseErr != nil {
		t.Fatalf("the child says %q: %v, %v", line, readErr, parseErr)
	}
	until(t, "its folder is gone", func() bool { return !exists(t, filepath.Dir(info.Config)) })
	for _, address := range addresses(t, info) {
		until(t, address+" is closed", func() bool { return !listens(address) })
	}
}
