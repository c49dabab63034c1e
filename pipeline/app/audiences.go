package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
		f, err := ReadDefinition(filepath.Join(dir, entry.Name()), entry.Name())
		if err != nil {
			faults = append(faults, err)
			continue
		}
		files = append(files, f)
	}
	return files, errors.Join(faults...)
}

// ErrNoDefinition says that a folder holds no definition file.
var ErrNoDefinition = errors.New("no audience.json, audience.yaml or audience.yml is there")

// ReadDefinition reads the definition in a folder.
func ReadDefinition(folder, key string) (DefinitionFile, error) {
	for _, name := range definitionNames {
		path := filepath.Join(folder, name)
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return DefinitionFile{}, fmt.Errorf("read audiences: %w", err)
		}
		return parseDefinition(path, key, text)
	}
	return DefinitionFile{}, fmt.Errorf("%s: %w", folder, ErrNoDefinition)
}

// ReadDefinitionFile reads a definition from a file of any name, YAML when it ends so. A key of "" is the document's own, or
// for <key>/audience.json that of its folder.
func ReadDefinitionFile(path, key string) (DefinitionFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return DefinitionFile{}, fmt.Errorf("read the definition: %w", err)
	}
	return parseDefinition(path, key, text)
}

func parseDefinition(path, key string, text []byte) (DefinitionFile, error) {
	f := DefinitionFile{Path: path, Key: key, Document: text}
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		var err error
		if f.Document, err = yamlToJSON(text); err != nil {
			return DefinitionFile{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	if f.Key == "" {
		var own struct {
			Key string `json:"key"`
		}
		_ = json.Unmarshal(f.Document, &own) // the decoder says what is wrong with it
		f.Key = own.Key
	}
	if f.Key == "" && slices.Contains(definitionNames, filepath.Base(path)) {
		if folder, err := filepath.Abs(filepath.Dir(path)); err == nil && evaluator.IsKey(filepath.Base(folder)) {
			f.Key = filepath.Base(folder)
		}
	}
	return f, nil
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
	beside := make([]*evaluator.Definition, 0, len(set))
	for _, d := range set {
		beside = append(beside, d)
	}
	definitions, err := DecodeFiles(files, beside)
	if err != nil {
		return nil, err
	}
	versions := make([]postgres.Version, len(files))
	for i, d := range definitions {
		for _, w := range d.Warnings {
			log.Warn("definition", "file", files[i].Path, "warning", w.String())
		}
		versions[i] = postgres.Version{Audience: d.Key, Type: d.Type.String(), SHA: d.SHA(), Document: d.Canonical()}
	}
	return versions, nil
}

// FileFault is one thing wrong with a definition file and its place.
type FileFault struct {
	File     string `json:"file"`
	Audience string `json:"audience"`
	Path     string `json:"path"`
	Message  string `json:"message"`
}

// FileFaults are all that is wrong with definition files, as an error.
type FileFaults []FileFault

// Error names every fault, one a line.
func (f FileFaults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.File + ": " + evaluator.Fault{Path: fault.Path, Message: fault.Message}.String()
	}
	return strings.Join(lines, "\n")
}

// DecodeFiles decodes definitions that are to stand beside others. The error is FileFaults: every fault of every file, and
// between them, at once.
func DecodeFiles(files []DefinitionFile, beside []*evaluator.Definition) ([]*evaluator.Definition, error) {
	documents := make([]evaluator.Document, len(files))
	paths := make(map[string]string, len(files))
	for i, f := range files {
		documents[i] = evaluator.Document{Key: f.Key, Text: f.Document}
		paths[f.Key] = f.Path
	}
	definitions, err := evaluator.DecodeAll(documents, beside)
	var faults evaluator.SetFaults
	if !errors.As(err, &faults) {
		return definitions, err
	}
	all := make(FileFaults, len(faults))
	for i, f := range faults {
		all[i] = FileFault{File: paths[f.Audience], Audience: f.Audience, Path: f.Path, Message: f.Message}
	}
	return nil, all
}

// checkFiles checks what each file alone shows; what others it refers to is for the database to say.
func checkFiles(files []DefinitionFile) error {
	var all FileFaults
	for _, f := range files {
		_, err := evaluator.Decode(f.Document, f.Key)
		var faults evaluator.Faults
		if errors.As(err, &faults) {
			for _, fault := range faults {
				all = append(all, FileFault{f.Path, f.Key, fault.Path, fault.Message})
			}
		}
	}
	if len(all) > 0 {
		return all
	}
	return nil
}
