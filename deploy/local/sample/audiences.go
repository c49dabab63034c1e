package sample

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

//go:embed audiences
var audiences embed.FS

const (
	audiencesRoot  = "audiences"
	definitionName = "audience.json"
)

// Audiences are the keys of the sample audiences, in alphabetical order.
func Audiences() []string {
	entries, err := fs.ReadDir(audiences, audiencesRoot)
	if err != nil {
		panic("the audiences are compiled in: " + err.Error())
	}
	keys := make([]string, len(entries))
	for i, entry := range entries {
		keys[i] = entry.Name()
	}
	return keys
}

// Definition is the JSON text of a sample audience.
func Definition(key string) ([]byte, error) {
	text, err := fs.ReadFile(audiences, path.Join(audiencesRoot, key, definitionName))
	if err != nil {
		return nil, fmt.Errorf("sample audience %q: %w", key, err)
	}
	return text, nil
}

// WriteAudiences writes every definition to dir/<key>/audience.json. A file that is there already stays as it is: it may
// have been edited.
func WriteAudiences(dir string) error {
	for _, key := range Audiences() {
		text, err := Definition(key)
		if err != nil {
			return err
		}
		if err := writeNew(filepath.Join(dir, key, definitionName), text); err != nil {
			return fmt.Errorf("write the sample audience %q: %w", key, err)
		}
	}
	return nil
}

func writeNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// BetaTesters is the key of the sample's static audience.
const BetaTesters = "beta-testers"

// WriteBetaTesters writes a CSV file of some of the seeded users, as a colleague would send it, for
// `muster member import beta-testers PATH --map "ID=id,Email=email,Name=name"`. A file that is there already stays.
func WriteBetaTesters(path string, users int, seed uint64) error {
	lines := [][]string{{"ID", "Email", "Name"}}
	for number := int64(3); number <= int64(users) && len(lines) <= 25; number += 7 {
		u := NewUser(seed, number, time.Now())
		lines = append(lines, []string{u.ID, u.Email, u.Name})
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the sample's beta testers: %w", err)
	}
	if err := errors.Join(csv.NewWriter(f).WriteAll(lines), f.Close()); err != nil {
		return fmt.Errorf("write the sample's beta testers: %w", err)
	}
	return nil
}
