package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"

	"muster/config"
	"muster/connectors/postgres"
	"muster/evaluator"
)

// DefinitionFile is one definition of a folder of audiences: DIR/<key>/audience.json, or .yaml, or .yml.
type DefinitionFile struct {
	Path     string
	Key      string // the folder's name
	Document []byte // JSON
}

var definitionNames = []string{"audience.json", "audience.yaml", "audience.yml"}

// ReadDirectory reads every definition of a folder, in the order of the keys. A folder without a definition file is a
// fault: it is most likely a misspelt name.
func ReadDirectory(dir string) ([]DefinitionFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read audiences: %w", err)
	}
	var files []DefinitionFile
	var faults []error
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		f, err := readDefinition(filepath.Join(dir, entry.Name()), entry.Name())
		if err != nil {
			faults = append(faults, err)
			continue
		}
		files = append(files, f)
	}
	return files, errors.Join(faults...)
}

func readDefinition(folder, key string) (DefinitionFile, error) {
	for _, name := range definitionNames {
		path := filepath.Join(folder, name)
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return DefinitionFile{}, fmt.Errorf("read audiences: %w", err)
		}
		f := DefinitionFile{Path: path, Key: key, Document: text}
		if filepath.Ext(name) != ".json" {
			if f.Document, err = yaml.YAMLToJSON(text); err != nil {
				return DefinitionFile{}, fmt.Errorf("%s: %w", path, err)
			}
		}
		return f, nil
	}
	return DefinitionFile{}, fmt.Errorf("%s holds no audience.json, audience.yaml or audience.yml", folder)
}

// PushDirectory commits the definitions of audiences.dir that differ from the committed ones, all or none. Every fault
// of every file is reported.
func PushDirectory(ctx context.Context, c *config.Config, source *postgres.Source, log *slog.Logger) error {
	if c.Audiences.Dir == "" {
		return nil
	}
	files, err := ReadDirectory(c.Audiences.Dir)
	if err != nil {
		return err
	}
	control := source.Control()
	set, err := committed(ctx, control, c.Environment)
	if err != nil {
		return err
	}
	versions, err := versionsOf(files, set, log)
	if err != nil {
		return err
	}
	pushed, _, err := control.PushDefinitions(ctx, c.Environment, versions, postgres.Author{Name: "muster run", Message: "from " + c.Audiences.Dir})
	if err != nil {
		return fmt.Errorf("push audiences: %w", err)
	}
	for _, p := range pushed {
		log.Info("committed a definition", "audience", p.Audience, "version", p.Version)
	}
	return nil
}

// committed returns the definitions in force by key.
func committed(ctx context.Context, control *postgres.Control, environment string) (map[string]*evaluator.Definition, error) {
	latest, err := control.Latest(ctx, environment)
	if err != nil {
		return nil, err
	}
	set := make(map[string]*evaluator.Definition)
	for _, d := range latest {
		if d.Archived {
			continue
		}
		definition, err := evaluator.Decode(d.Document, d.Audience)
		if err != nil {
			return nil, fmt.Errorf("committed definition %q version %d: %w", d.Audience, d.Version, err)
		}
		set[d.Audience] = definition
	}
	return set, nil
}

// versionsOf decodes the files and checks them together with what is committed beside them.
func versionsOf(files []DefinitionFile, set map[string]*evaluator.Definition, log *slog.Logger) ([]postgres.Version, error) {
	definitions, err := decodeFiles(files)
	if err != nil {
		return nil, err
	}
	versions := make([]postgres.Version, len(files))
	for i, d := range definitions {
		for _, w := range d.Warnings {
			log.Warn("definition", "file", files[i].Path, "warning", w.String())
		}
		set[d.Key] = d
		versions[i] = postgres.Version{Audience: d.Key, Type: d.Type.String(), SHA: d.SHA(), Document: d.Canonical()}
	}
	all := make([]*evaluator.Definition, 0, len(set))
	for _, d := range set {
		all = append(all, d)
	}
	if err := evaluator.CheckSet(all); err != nil {
		return nil, fmt.Errorf("audiences:\n%w", err)
	}
	return versions, nil
}

// decodeFiles decodes definitions and reports every fault of every file.
func decodeFiles(files []DefinitionFile) ([]*evaluator.Definition, error) {
	definitions := make([]*evaluator.Definition, 0, len(files))
	var faults []error
	for _, f := range files {
		d, err := evaluator.Decode(f.Document, f.Key)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:\n%w", f.Path, err))
			continue
		}
		definitions = append(definitions, d)
	}
	return definitions, errors.Join(faults...)
}
