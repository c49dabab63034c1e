package command

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"muster/deploy/local"
)

// connections says how to look into the local services, in commands that can be pasted into another terminal.
func connections(s *local.Stack) string {
	info := s.Info()
	host, port, _ := strings.Cut(info.ClickHouse.Addr, ":")
	var b strings.Builder
	line := func(name, tool, command string) {
		fmt.Fprintf(&b, "  %-11s %s\n", name, command)
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Fprintf(&b, "              (%s is not on this machine; install it to use this line)\n", filepath.Base(tool))
		}
	}
	psql := "psql"
	if own := filepath.Join(s.Postgres.BinDir(), "psql"); exists(own) {
		if _, err := exec.LookPath(psql); err != nil {
			psql = own
		}
	}
	line("Postgres", psql, fmt.Sprintf("%s '%s'", psql, info.Postgres))
	line("Kafka", "kcat", fmt.Sprintf("kcat -C -b %s -t muster.membership -o beginning -f '%%k  %%s\\n'", info.Kafka[0]))
	line("ClickHouse", "curl", fmt.Sprintf("curl 'http://%s/' --data-binary 'SELECT audience, count() FROM muster.members GROUP BY audience ORDER BY audience FORMAT PrettyCompact'", info.ClickHouse.HTTP))
	if _, err := exec.LookPath("clickhouse-client"); err == nil {
		line("", "clickhouse-client", fmt.Sprintf("clickhouse-client --host %s --port %s", host, port))
	}
	line("Metrics", "curl", fmt.Sprintf("curl -s %s/metrics | grep ^muster_", info.API))
	return b.String()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
