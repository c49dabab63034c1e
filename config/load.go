package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Load reads the file at path, lays the MUSTER_ variables of environ (KEY=value, as os.Environ returns them) over it,
// reads secrets from their files and validates the whole. An empty path means no file: variables alone.
//
// Relative paths in the file, and default ones, are relative to the file's folder, so that it does not matter where the
// worker is started; those in variables are relative to the working folder.
//
// The error is Faults when the configuration could be read and is wrong.
func Load(path string, environ []string) (*Config, error) {
	var text []byte
	if path != "" {
		var err error
		if text, err = readFile(path); err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
	}
	return load(path, text, environ)
}

func load(path string, text []byte, environ []string) (*Config, error) {
	l := &loader{
		config:   Default(),
		path:     path,
		files:    make(map[string]secretFile),
		resolved: make(map[string]bool),
	}
	l.config.origins = make(map[string]Origin)
	l.file(text)
	l.variables(environ)
	l.readSecrets()
	l.resolvePaths()
	derive(l.config)
	if !l.unreadable { // else everything in it would be missing, too
		l.validate()
	}
	if len(l.faults) > 0 {
		return nil, l.faults.sorted()
	}
	return l.config, nil
}

// loader is one run of Load.
type loader struct {
	config   *Config
	path     string // of the file, "" for none
	faults   Faults
	files    map[string]secretFile // secrets that are to be read, by key
	resolved map[string]bool       // paths that are not relative to the file's folder, by key

	unreadable bool // the file is not YAML, and nothing of it is known
}

func (l *loader) fault(where Origin, key, message string) {
	l.faults = append(l.faults, Fault{Origin: where, Key: key, Message: message})
}

// remember notes where the value of a key comes from.
func (l *loader) remember(key string, where Origin) { l.config.origins[key] = where }

// override notes it for a variable, which takes the place of all that the file said about the key.
func (l *loader) override(key string, where Origin) {
	for k := range l.config.origins {
		if k == key || strings.HasPrefix(k, key+"[") {
			delete(l.config.origins, k)
		}
	}
	for k := range l.files {
		if k == key || strings.HasPrefix(k, key+"[") {
			delete(l.files, k)
		}
	}
	l.remember(key, where)
}

// file applies the text of the configuration file.
func (l *loader) file(text []byte) {
	root := setting{value: reflect.ValueOf(l.config).Elem()}
	document{loader: l, place: Origin{File: l.path}}.read(text, root)
}

// resolvePaths makes relative paths of the file, and default ones, relative to the file's folder.
func (l *loader) resolvePaths() {
	for _, s := range leaves(l.config) {
		if s.path() && !l.resolved[s.key] {
			s.value.SetString(l.resolve(s.value.String()))
		}
	}
}

func (l *loader) resolve(path string) string {
	if path == "" || l.path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(l.path), path)
}

// derive fills in the defaults that depend on other values.
func derive(c *Config) {
	if !c.Origin("environments").Given() && !slices.Contains(c.Environments, c.Environment) {
		c.Environments = []string{c.Environment}
	}
	if c.Kafka.TransactionalID == "" {
		c.Kafka.TransactionalID = "muster-" + c.Environment
	}
}
