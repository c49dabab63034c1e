// Package where says audiences in SQL: each becomes a WHERE clause over a real users table, so that Postgres can be the third
// judge beside packages plain and compiled. It is for tests alone.
//
//	Definition --Clauses.Of--> condition --> leaf --> relations of operands --> SQL text
//	                                                        |
//	                 column | key of the properties | constant | now, bound as q.now
//
// A clause is put as a person would put it, wherever the kinds of both sides are known: plan = 'free', seats >= 3. Where a value
// may be of any kind, in a document, an operand has a view of each kind, which is NULL when the value is of another:
// numbers are numeric, instants are the numeric seconds that extract(epoch ...) gives, which have neither the calendar's
// bounds nor a float's, lists and objects are jsonb, whose equality is the strict one of LANGUAGE.md. A comparison with NULL
// is no more than not true, so every leaf ends in IS TRUE and every negation is NOT of that.
//
// References are said by nesting: the clause of the audience that is asked about stands in the place of the question. The
// memberships of static audiences, and of those that settle, are looked up in a table.
//
// # What is not said
//
// Clauses.Of returns ErrNotSQL for what Postgres has no equal of:
//   - ignore_case: LANGUAGE.md folds as Unicode's simple folding does, Postgres's lower() by a locale.
//   - matches: RE2's syntax and Postgres's differ in more than they share.
//
// # Where both differ, and the clause says what Muster means
//   - Postgres's NaN lies above all numbers. In Muster no order operator holds for it: the clause asks for <> 'NaN'.
//   - char(n) compares without its trailing blanks in both, but only once it is cast to text.
//   - Text is ordered under COLLATE "C", by bytes.
//   - A cast of text that is no number, or no real date, is an error in Postgres and no match in Muster: the functions of
//     Functions answer NULL.
//   - jsonb holds no U+0000, no lone surrogate, and the last of equal keys: what Muster is given is what Postgres printed.
//   - Inside lists a timestamp never equals a string. jsonb has no timestamps, so an array's are objects that no document has.
//   - ARRAY -> 0 indexes and OBJECT -> '0' does not: a step that may be either asks for the type first.
package where
