package local

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"text/template"

	"muster/deploy/local/sample"
)

//go:embed muster.yaml.tmpl
var configText string

// A Go string in quotes is one of YAML too, whatever it holds.
var configTemplate = template.Must(template.New(configName).Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(configText))

// write puts what the worker and its user need into the folder. What is there stays: it may have been edited.
func (s *Stack) write(options Options) error {
	if err := sample.WriteAudiences(filepath.Join(s.dir, audiencesName)); err != nil {
		return err
	}
	if err := sample.WriteBetaTesters(filepath.Join(s.dir, betaTestersName), options.Users, options.Seed); err != nil {
		return err
	}
	if err := s.writeConfig(); err != nil {
		return fmt.Errorf("write %s: %w", s.info.Config, err)
	}
	line, err := json.Marshal(s.info)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, stackName), append(line, '\n'), 0o644); err != nil {
		return fmt.Errorf("remember the stack's addresses: %w", err)
	}
	return nil
}

func (s *Stack) writeConfig() error {
	api, err := url.Parse(s.info.API)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	err = configTemplate.Execute(&text, struct {
		Info
		Listen, State, Audiences string
	}{s.info, api.Host, stateName, audiencesName})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.info.Config, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text.Bytes())
	return errors.Join(err, f.Close())
}
