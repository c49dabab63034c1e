package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"muster/deploy/local/lastwords"
	"muster/deploy/local/watchdog"
)

// makingFolder is where a cluster is made, beside the data folder that it becomes. What an interrupted start left there
// is removed, while a data folder that holds anything but a cluster is somebody else's and never touched.
const makingFolder = ".making-data"

// makeCluster makes the data folder, unless a cluster is already there.
func (s *Server) makeCluster(ctx context.Context) error {
	version, err := clusterVersion(s.data())
	if err != nil || version != "" {
		return err
	}
	making := filepath.Join(s.dir, makingFolder)
	if err := s.fill(ctx, making); err != nil {
		return errors.Join(err, os.RemoveAll(making))
	}
	if err := os.Rename(making, s.data()); err != nil {
		return fmt.Errorf("put the new cluster in its place (is there a folder %s of something else?): %w", s.data(), err)
	}
	return nil
}

// fill makes a cluster in the folder making: a copy of the template, else a new one that becomes the template.
func (s *Server) fill(ctx context.Context, making string) error {
	template, err := templatePath(s.binaries)
	if err != nil {
		return err
	}
	if err := s.emptyFolder(making); err != nil {
		return err
	}
	if fromTemplate(ctx, template, making, s.account) {
		return nil
	}
	if err := s.emptyFolder(making); err != nil {
		return err
	}
	if err := initCluster(ctx, s.binaries.dir, making, s.account, s.guard); err != nil {
		return err
	}
	if err := keepTemplate(ctx, making, template, s.account); err != nil {
		s.options.Log("The new cluster is not kept as a template, so the next start takes longer: " + err.Error())
	}
	return nil
}

func (s *Server) emptyFolder(path string) error {
	err := os.RemoveAll(path)
	if err == nil {
		err = os.Mkdir(path, 0o700)
	}
	if err == nil {
		err = s.account.own(path)
	}
	if err != nil {
		return fmt.Errorf("make an empty folder for the cluster: %w", err)
	}
	return nil
}

// clusterVersion is the major version of the cluster in data, or "" when there is none.
func clusterVersion(data string) (string, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for a cluster: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// initCluster makes a cluster with its database in the empty folder data. Nothing is synced: whatever a crash of the
// machine could spoil here is made anew at the next start.
func initCluster(ctx context.Context, bin, data string, as account, guard *watchdog.Watchdog) error {
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--no-sync", "--auth=trust", "--username="+User,
		"--locale=C", "--encoding=UTF8", "--pgdata="+data)
	if err := runAs(initdb, as, data, guard); err != nil {
		if strings.Contains(err.Error(), "could not look up effective user ID") {
			err = fmt.Errorf("initdb works for users that have an entry in /etc/passwd alone; add one for this user id, or run as another user: %w", err)
		}
		return err
	}
	// A single-user backend is the only way to a database without a server, and the portable binaries hold no psql.
	create := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--single", "-D", data,
		"-c", "fsync=off", "-c", "exit_on_error=on", "postgres")
	create.Stdin = strings.NewReader("CREATE DATABASE " + Database + "\n")
	if err := runAs(create, as, data, guard); err != nil {
		return err
	}
	return includeSettings(data)
}

// runAs runs a program to its end, or until its context ends, under the watchdog.
func runAs(cmd *exec.Cmd, as account, dir string, guard *watchdog.Watchdog) error {
	output := lastwords.New(nil)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, environment(), as.attributes()
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	guard.Watch(cmd.Process.Pid)
	defer guard.Forget()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("run %s: %w%s", cmd.Path, err, output)
	}
	return nil
}

// settingsName is a file of our own, so that it can be written anew at each start, and ALTER SYSTEM still wins over it.
const settingsName = "muster.conf"

func includeSettings(data string) error {
	path := filepath.Join(data, "postgresql.conf")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("include Muster's settings: %w", err)
	}
	_, err = fmt.Fprintf(f, "\ninclude '%s'\n", settingsName)
	return errors.Join(err, f.Close())
}

// settings of every server. What is not said here is as Postgres has it, fsync included.
func defaultSettings(port int) map[string]string {
	return map[string]string{
		"listen_addresses": "127.0.0.1",
		"port":             fmt.Sprint(port),
		// No socket: its path would have to be short, and everything connects by TCP.
		"unix_socket_directories": "",
		// In the data folder instead of /dev/shm, which containers keep small and a killed server leaves full.
		"dynamic_shared_memory_type": "mmap",
		"wal_level":                  "logical",
		"max_replication_slots":      "32",
		"max_wal_senders":            "32",
		"max_connections":            "200",
		"timezone":                   "UTC",
		"log_timezone":               "UTC",
		"log_line_prefix":            "%m [%p] ",
	}
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// writeSettings writes our file of settings; extra ones win over ours.
func writeSettings(data string, port int, extra map[string]string) error {
	all := defaultSettings(port)
	for name, value := range extra {
		if !settingName.MatchString(name) || strings.ContainsAny(value, "\n\r\x00") {
			return fmt.Errorf("setting %q = %q cannot be written to postgresql.conf", name, value)
		}
		all[name] = value
	}
	lines := make([]string, 0, len(all))
	for name, value := range all {
		lines = append(lines, fmt.Sprintf("%s = '%s'\n", name, strings.NewReplacer("'", "''", `\`, `\\`).Replace(value)))
	}
	slices.Sort(lines)
	text := "# Written by Muster at every start; put changes of your own into postgresql.conf below the include.\n" + strings.Join(lines, "")
	if err := os.WriteFile(filepath.Join(data, settingsName), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write Postgres's settings: %w", err)
	}
	return nil
}
