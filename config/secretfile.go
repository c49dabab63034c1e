package config

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxFile bounds what is read as a configuration or a secret: more is a mistake in the path.
const maxFile = 256 << 10

// secretFile is a secret whose text is in a file.
type secretFile struct {
	setting setting
	path    string
	origin  Origin
}

// secretFile notes the file that the key <secret>_file names.
func (d document) secretFile(s setting, where Origin, node ast.Node) {
	text, ok := node.(*ast.StringNode)
	if !ok || text.Value == "" {
		d.fault(d.at(node), s.key+"_file", "must be the path of a file")
		return
	}
	d.files[s.key] = secretFile{setting: s, path: text.Value, origin: where}
}

// readSecrets reads the files that hold secrets. It runs last, so that a file whose secret a variable overrides is not
// touched.
func (l *loader) readSecrets() {
	for key, file := range l.files {
		direct, both := l.config.origins[key]
		if both && direct != file.origin {
			l.fault(file.origin, key+"_file", "is given beside "+lastName(key)+"; keep one of the two")
			continue
		}
		l.remember(key, file.origin)
		path := file.path
		if file.origin.Variable == "" {
			path = l.resolve(path)
		}
		text, err := readSecret(path)
		if err == nil {
			err = setText(file.setting.value, text)
		}
		if err != nil {
			l.fault(file.origin, key+"_file", err.Error())
		}
	}
}

// readSecret returns the text of a file without the newline that editors and `echo` leave at its end.
func readSecret(path string) (string, error) {
	raw, err := readFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if text == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return text, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	_ = f.Close() // only read from
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxFile:
		return nil, fmt.Errorf("%s is larger than %s", path, Size(maxFile))
	case slices.Contains(text, 0):
		return nil, fmt.Errorf("%s is no text file", path)
	}
	return text, nil
}
