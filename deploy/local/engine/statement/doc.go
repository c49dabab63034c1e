// Package statement finds out of a ClickHouse statement's text what the fronts of the embedded engine must know before
// they run it: whether it returns rows, waits for data or does neither, which format it names, and where data that
// follows in the same text begins.
//
// It does not parse SQL. It splits the text into tokens, which is enough to never mistake what stands in a string, a
// quoted identifier, a comment or a parenthesis for a keyword; whatever is wrong otherwise, the engine itself will say.
//
//	text -> scanner (tokens with their nesting) -> Parse -> Statement
package statement
