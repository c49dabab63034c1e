package fetch

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// Names and versions become part of a path and of a command line, so they are held to the alphabet that npm allows.
var (
	nameForm    = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*$`)
	versionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([+-][0-9A-Za-z.+-]+)?$`)
)

func (p Package) validate() error {
	if !nameForm.MatchString(p.Name) {
		return fmt.Errorf("npm package name %q is not valid", p.Name)
	}
	if !versionForm.MatchString(p.Version) {
		return fmt.Errorf("npm package %s: version %q is not an exact version", p.Name, p.Version)
	}
	_, err := p.digest()
	return err
}

// digest returns the expected sha512 of the tarball, nil when none is stated.
func (p Package) digest() ([]byte, error) {
	if p.Integrity == "" {
		return nil, nil
	}
	text, ok := strings.CutPrefix(p.Integrity, "sha512-")
	sum, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(sum) != sha512.Size {
		return nil, fmt.Errorf("npm package %s: integrity %q is not sha512- followed by 64 bytes in base64", p.Name, p.Integrity)
	}
	return sum, nil
}

// slug is the package's directory in the cache. The digest is part of it: a changed pin never meets what an older one left.
func (p Package) slug() string {
	s := strings.NewReplacer("@", "", "/", "-").Replace(p.Name) + "-" + p.Version
	if sum, err := p.digest(); err == nil && sum != nil {
		s += "-" + hex.EncodeToString(sum[:6])
	}
	return s
}
