package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"muster/deploy/local/fetch"
)

// templateFormat is part of a template's name. Raise it when initCluster does something else than before.
const templateFormat = 1

// A template is a cluster as initdb left it, in the cache. Copying one costs a fifth of the processor time of initdb,
// which a test suite on a busy machine notices. It saves time and nothing else, so whatever is wrong with it is
// no error: the cluster is then made the long way.

// templatePath is where the template of these binaries lies, whether it is there or not.
func templatePath(b binaries) (string, error) {
	cache, err := fetch.CacheDir()
	if err != nil {
		return "", err
	}
	// Two builds of one version may differ in what initdb writes, so the folder they are in tells them apart.
	build := sha256.Sum256([]byte(b.dir))
	return filepath.Join(cache, "postgres", fmt.Sprintf("template-%d-%s-%x", templateFormat, b.version, build[:6])), nil
}

// fromTemplate makes data a copy of the template with a system identifier of its own. It returns false when there is
// no template that can be used; data may then hold a part of it.
func fromTemplate(ctx context.Context, template, data string, as account) bool {
	if _, err := os.Stat(template); err != nil {
		return false
	}
	return copyTree(ctx, template, data, as) == nil && renewIdentifier(data) == nil
}

// keepTemplate copies data, which no server has run on yet, to where the next start will look for it. It appears there
// whole or not at all.
func keepTemplate(ctx context.Context, data, template string, as account) error {
	parent := filepath.Dir(template)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	removeAbandoned(parent)
	aside, err := os.MkdirTemp(parent, asidePrefix)
	if err != nil {
		return err
	}
	err = copyTree(ctx, data, filepath.Join(aside, dataFolder), as)
	if err == nil {
		err = os.Rename(filepath.Join(aside, dataFolder), template)
	}
	if errors.Is(err, fs.ErrExist) { // another process was faster
		err = nil
	}
	return errors.Join(err, os.RemoveAll(aside))
}

const (
	asidePrefix = "making-"
	abandoned   = time.Hour
)

// removeAbandoned removes what processes that were killed in keepTemplate left.
func removeAbandoned(parent string) {
	entries, _ := filepath.Glob(filepath.Join(parent, asidePrefix+"*"))
	for _, entry := range entries {
		if info, err := os.Stat(entry); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(entry)
		}
	}
}

// copyTree copies folders and files, which is all a cluster without tablespaces consists of, readable by the account
// alone as Postgres demands.
func copyTree(ctx context.Context, from, to string, as account) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir():
			err = os.Mkdir(target, 0o700)
			if errors.Is(err, fs.ErrExist) {
				err = nil
			}
		case entry.Type().IsRegular():
			err = copyFile(path, target)
		default:
			err = fmt.Errorf("%s is neither a file nor a folder", path)
		}
		if err != nil {
			return err
		}
		return as.own(target)
	})
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
