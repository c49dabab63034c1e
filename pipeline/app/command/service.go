package command

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"muster/connectors/postgres"
	"muster/pipeline/app"
)

// service says where a command finds Muster: by flags, by the environment's variables, by a profile, or else on this
// machine. With a configuration it goes straight to the database, where no worker needs to run.
type service struct {
	url, key, profile, config, author, environment string

	remote bool // it asks live state, which only a running worker has
}

const (
	localURL      = "http://127.0.0.1:8470"
	serviceDocs   = "Muster is found by --url and --key, by MUSTER_URL and MUSTER_API_KEY, by a profile, or at " + localURL + "."
	profileSample = `default: {url: "https://muster.example.org", key_file: "/home/me/.muster-key", environment: "development"}`
)

// flags adds the flags that say where to a command.
func (s *service) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.url, "url", "", "origin of the API (MUSTER_URL)")
	f.StringVar(&s.key, "key", "", "key of the API (better: MUSTER_API_KEY, which other users of the machine cannot see)")
	f.StringVar(&s.profile, "profile", "", "a profile of muster/profiles.yaml in your configuration folder, such as ~/.config (MUSTER_PROFILE)")
	f.StringVarP(&s.environment, "environment", "e", "", "the environment (MUSTER_ENVIRONMENT; default: the first)")
	help := "configuration file of a worker: go straight to its database instead of an API"
	if s.remote {
		help = "configuration file of a worker that runs on this machine: ask it, with an admin key from there"
	}
	f.StringVarP(&s.config, "config", "c", "", help)
	_ = c.MarkFlagFilename("config", "yaml", "yml")
	_ = c.RegisterFlagCompletionFunc("environment", s.completeEnvironments)
}

// authorFlag adds the flag that says who makes a change.
func (s *service) authorFlag(c *cobra.Command) {
	c.Flags().StringVar(&s.author, "author", "", `who makes the change, "Ada Lovelace <ada@example.org>" (MUSTER_AUTHOR; default: git's user)`)
}

// profile is a place that a name was given to.
type profile struct {
	URL         string `yaml:"url"`
	Key         string `yaml:"key"`
	KeyFile     string `yaml:"key_file"`
	Environment string `yaml:"environment"`
	Author      string `yaml:"author"`
}

// readProfile returns the profile of that name, "default" for "", which need not exist.
func readProfile(name string) (profile, error) {
	dir, err := os.UserConfigDir()
	if err != nil && name == "" {
		return profile{}, nil
	}
	path := filepath.Join(dir, "muster", "profiles.yaml")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && name == "" {
		return profile{}, nil
	}
	if err != nil {
		return profile{}, fmt.Errorf("read the profiles: %w; a line of that file is: %s", err, profileSample)
	}
	profiles := make(map[string]profile)
	if err := yaml.UnmarshalWithOptions(text, &profiles, yaml.Strict()); err != nil {
		return profile{}, fmt.Errorf("%s: %w", path, err)
	}
	if name == "" {
		name = "default"
		if _, ok := profiles[name]; !ok {
			return profile{}, nil
		}
	}
	p, ok := profiles[name]
	if !ok {
		return profile{}, usagef("there is no profile %q in %s", name, path)
	}
	if p.KeyFile != "" {
		key, err := os.ReadFile(p.KeyFile)
		if err != nil {
			return profile{}, fmt.Errorf("profile %q: %w", name, err)
		}
		p.Key = strings.TrimSpace(string(key))
	}
	return p, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// open returns a client of the service; close it.
func (s *service) open(c *cobra.Command) (*client, error) {
	if s.config != "" {
		if s.url != "" || s.profile != "" {
			return nil, usagef("--config says by itself where to ask, as --url and --profile do; give one of them")
		}
		if s.remote {
			return s.worker()
		}
		return s.direct(c)
	}
	p, err := readProfile(first(s.profile, os.Getenv("MUSTER_PROFILE")))
	if err != nil {
		return nil, err
	}
	fromEnvironment := os.Getenv("MUSTER_URL")
	if s.profile != "" { // what was asked for by name goes before what happens to be set
		fromEnvironment = ""
	}
	origin := strings.TrimSuffix(first(s.url, fromEnvironment, p.URL, localURL), "/")
	if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--url %q is no origin; write it as http://host:port", origin)
	}
	key := first(s.key, os.Getenv("MUSTER_API_KEY"), p.Key)
	if s.profile != "" {
		key = first(s.key, p.Key, os.Getenv("MUSTER_API_KEY"))
	}
	return &client{
		origin: origin, key: first(key, "none"), author: first(s.author, os.Getenv("MUSTER_AUTHOR"), p.Author, gitAuthor()),
		environment: first(s.environment, os.Getenv("MUSTER_ENVIRONMENT"), p.Environment),
		http:        &http.Client{}, close: func() error { return nil },
	}, nil
}

// worker returns a client of the worker that runs by a configuration on this machine.
func (s *service) worker() (*client, error) {
	configuration, err := configured(s.config)
	if err != nil {
		return nil, err
	}
	return &client{
		origin: originOf(configuration), key: first(s.key, os.Getenv("MUSTER_API_KEY"), adminKey(configuration)),
		author:      first(s.author, os.Getenv("MUSTER_AUTHOR"), gitAuthor(), account()),
		environment: first(s.environment, configuration.Environment),
		http:        &http.Client{}, close: func() error { return nil },
	}, nil
}

// direct returns a client of an API of the command's own over the database of a configuration.
func (s *service) direct(c *cobra.Command) (*client, error) {
	configuration, err := configured(s.config)
	if err != nil {
		return nil, err
	}
	const connections = 2
	control, err := postgres.OpenControl(configuration.Postgres.DSN.Reveal(), configuration.Postgres.Schema, connections)
	if err != nil {
		return nil, err
	}
	if configuration.Postgres.Create {
		if err := control.Migrate(c.Context()); err != nil {
			control.Close()
			return nil, fmt.Errorf("make the control schema: %w", err)
		}
	}
	log := configuration.Log
	log.Level = "error"
	return &client{
		origin: "http://localhost", author: first(s.author, os.Getenv("MUSTER_AUTHOR"), gitAuthor(), account()),
		environment: first(s.environment, configuration.Environment),
		http:        &http.Client{Transport: inProcess{app.DefinitionsAPI(configuration, control, logger(log, c.ErrOrStderr()))}},
		close:       func() error { control.Close(); return nil },
	}, nil
}

// gitAuthor is who git takes the user for, "" when it does not know.
func gitAuthor() string {
	ask := func(variable, key string) string {
		if v := os.Getenv(variable); v != "" {
			return v
		}
		out, err := exec.Command("git", "config", "--get", key).Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	name, email := ask("GIT_AUTHOR_NAME", "user.name"), ask("GIT_AUTHOR_EMAIL", "user.email")
	if email == "" {
		return name
	}
	return (&mail.Address{Name: name, Address: email}).String()
}

// account is the name of this machine's user.
func account() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return first(u.Name, u.Username)
}

// completeEnvironments completes the name of an environment.
func (s *service) completeEnvironments(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	client, err := s.open(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer func() { _ = client.close() }()
	var names []string
	_ = all(c.Context(), client, "/v1/environments", url.Values{}, func(e *environmentName) bool {
		names = append(names, e.Slug)
		return true
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}

type environmentName struct {
	Slug string `json:"slug"`
}

// completeAudiences completes keys of audiences that are not among the arguments yet.
func (s *service) completeAudiences(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	client, err := s.open(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer func() { _ = client.close() }()
	query, err := client.in(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var keys []string
	_ = all(c.Context(), client, "/v1/audiences", query, func(a *audienceName) bool {
		if !slices.Contains(args, a.Key) {
			keys = append(keys, a.Key+"\t"+a.Name)
		}
		return true
	})
	return keys, cobra.ShellCompDirectiveNoFileComp
}

type audienceName struct {
	Key  string `json:"key"`
	Name string `json:"name"`
}
