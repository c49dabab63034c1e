package fetch

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// unpackFile verifies the tarball before a byte of it is unpacked.
func unpackFile(ctx context.Context, tarball, integrity, dir string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := verify(f, integrity); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return unpack(ctx, f, dir)
}

func verify(r io.Reader, integrity string) error {
	want, err := Package{Integrity: integrity}.digest()
	if want == nil || err != nil {
		return err
	}
	hash := sha512.New()
	if _, err := io.Copy(hash, r); err != nil {
		return err
	}
	if got := hash.Sum(nil); !bytes.Equal(got, want) {
		return fmt.Errorf("the tarball's integrity is sha512-%s, expected %s: it was damaged on the way, or your npm registry serves another file",
			base64.StdEncoding.EncodeToString(got), integrity)
	}
	return nil
}

// unpack writes the files of an npm tarball below dir, without its first path element ("package/"), as npm does.
// Everything is written through an os.Root, so that neither ".." nor a link leads out of dir.
func unpack(ctx context.Context, r io.Reader, dir string) error {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("read tarball: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return publish(dir)
		}
		if err != nil {
			return fmt.Errorf("read tarball: %w", err)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := extract(root, header, archive); err != nil {
			return fmt.Errorf("unpack %q: %w", header.Name, err)
		}
	}
}

func extract(root *os.Root, header *tar.Header, body io.Reader) error {
	switch header.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeXGlobalHeader: // comments, such as git archive writes
		return nil
	default:
		return fmt.Errorf("entry of type %q: npm packages hold files only", header.Typeflag)
	}
	_, name, inside := strings.Cut(path.Clean(header.Name), "/")
	if !inside {
		return nil // the first element itself
	}
	if !filepath.IsLocal(name) || !filepath.IsLocal(header.Name) {
		return errors.New("the path leads out of the package")
	}
	if header.Typeflag == tar.TypeDir {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if header.Mode&0o100 != 0 {
		mode = 0o755 // for everyone: servers are started as somebody else
	}
	return write(root, name, mode, body)
}

// write makes one file durable, since the rename that publishes its directory may reach the disk before it.
func write(root *os.Root, name string, mode os.FileMode, body io.Reader) (err error) {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(mode); err != nil { // whatever the umask: other users must be able to read it
		return err
	}
	if _, err := io.Copy(f, body); err != nil {
		return err
	}
	return f.Sync()
}

// publish opens the directories to everyone, which a strict umask has kept os.Root from doing.
func publish(dir string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return os.Chmod(name, 0o755)
	})
}
