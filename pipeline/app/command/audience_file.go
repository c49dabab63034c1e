package command

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"muster/connectors/api"
)

// schemaName is the JSON Schema of definitions, kept beside them so that editors find it without a network.
const schemaName = "audience.schema.json"

//go:embed audience.schema.json
var audienceSchema []byte

// fileText is the text of a definition file.
func fileText(a api.Audience, asYAML bool) ([]byte, error) {
	definition, err := definitionOf(a)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if asYAML {
		fmt.Fprintf(&b, "# yaml-language-server: $schema=../%s\n", schemaName)
		err := writeYAML(&b, definition)
		return b.Bytes(), err
	}
	withSchema := fmt.Appendf(nil, `{"$schema": "../%s", %s`, schemaName, definition[1:])
	if err := json.Indent(&b, withSchema, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// writeFile writes a file whole or not at all, and makes its folder.
func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".muster-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // it is gone when all went well
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// writeSchema keeps the schema beside the definitions.
func writeSchema(dir string) error {
	path := filepath.Join(dir, schemaName)
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, audienceSchema) {
		return nil
	}
	return writeFile(path, audienceSchema)
}

var shaLine = regexp.MustCompile(`(?m)^((?:  "sha": ")|(?:sha: "?))([0-9a-f]{64})`)

// noteSHA writes the sha of what was saved into the file it was saved from, if that carries one: it is what the next
// change is made from. Everything else of the file stays as it is.
func noteSHA(path, sha string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	found := shaLine.FindAllSubmatchIndex(text, -1)
	if len(found) != 1 {
		return nil
	}
	from, to := found[0][4], found[0][5]
	if string(text[from:to]) == sha {
		return nil
	}
	return writeFile(path, append(append(append([]byte{}, text[:from]...), sha...), text[to:]...))
}

// writeYAML writes a JSON value as YAML, its keys in their order and its numbers as they are.
func writeYAML(w *bytes.Buffer, value json.RawMessage) error {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	return yamlValue(w, d, "", false)
}

// yamlValue writes the next value. inline says that it stands behind "key:" or "- " of the given indent.
func yamlValue(w *bytes.Buffer, d *json.Decoder, indent string, inline bool) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	delimiter, compound := token.(json.Delim)
	switch {
	case !compound:
		fmt.Fprintf(w, " %s\n", yamlScalar(token))
		return nil
	case !d.More():
		fmt.Fprintf(w, " %s%s\n", delimiter, map[json.Delim]string{'{': "}", '[': "]"}[delimiter])
	case delimiter == '[':
		w.WriteByte('\n')
		for d.More() {
			w.WriteString(indent + "-")
			if err := yamlItem(w, d, indent+"  "); err != nil {
				return err
			}
		}
	default:
		if inline {
			w.WriteByte('\n')
		}
		if err := yamlMembers(w, d, indent); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// yamlItem writes an item of a list; an object begins on the line of its dash.
func yamlItem(w *bytes.Buffer, d *json.Decoder, indent string) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	var b bytes.Buffer
	inner := json.NewDecoder(bytes.NewReader(raw))
	inner.UseNumber()
	if err := yamlValue(&b, inner, indent, true); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	text := b.String()
	if rest, ok := strings.CutPrefix(text, "\n"+indent); ok {
		text = " " + rest
	}
	w.WriteString(text)
	return nil
}

func yamlMembers(w *bytes.Buffer, d *json.Decoder, indent string) error {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		w.WriteString(indent + yamlScalar(key) + ":")
		if err := yamlValue(w, d, indent+"  ", true); err != nil {
			return err
		}
	}
	return nil
}

// plainText is text that YAML takes for a string without quotes: words.
var plainText = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*$`)

func yamlScalar(v any) string {
	text, isText := v.(string)
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
	default:
		if isText && plainText.MatchString(text) {
			return text
		}
	}
	encoded, err := json.Marshal(v)
	if err != nil { // tokens of JSON have a JSON form
		panic(err)
	}
	return string(encoded)
}
