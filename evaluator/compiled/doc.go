// Package compiled judges users by all audiences at once: the work of a change follows what changed, not how many audiences
// there are. It gives the answers of package plain, which is its oracle.
package compiled
