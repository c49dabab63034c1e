// Package compiled judges users by all audiences at once. The work of a change follows what changed, not how many audiences
// there are: it gives the answers of package plain, its oracle, in microseconds at ten thousand audiences.
//
// # The structure
//
// Each audience is brought into clauses, lists of literals of which all must hold; it holds when one of its clauses does.
// A clause goes to one of two places.
//
//	              value of an attribute
//	                       |
//	                     index              constants by hash, patterns by automaton, thresholds by search
//	            +----------+-----------+
//	            |                      |
//	         clusters                vector       one word of 64 clauses for each block that reads the attribute
//	clauses that pin a value         10110..      a bit is set where the value violates the clause
//	few users have: judged one           |
//	by one, and only for those     OR of a block's words
//	            |                        |
//	            |               block 0   block 1   block 2 ...      64 clauses each; 0 is a clause that holds
//	            |                        |
//	            |          AND of the blocks of a group          64 audiences of one, two, three or four clauses,
//	            |                        |                       clause k of each in block k; 0 is an audience that holds
//	            +-----------+------------+
//	                        |
//	                residue of a clause           what no lane can say: patterns of RE2, arguments taken from
//	                        |                     properties, references, samples, trees that do not expand;
//	                    audience                  asked only where the rest of the clause holds
//
// Audiences that read the same attributes are neighbours, so that a block has words of few vectors. Those with residue have
// groups of their own: all others are judged by the word, and cost something by themselves only when they flip. A condition
// that is residue and that a dozen clauses share has a vector of its own, of its verdict.
//
// # The way of one change
//
//	columns whose text differs -> attributes whose value differs -> vectors whose rank or entries differ
//	  -> all groups: before XOR after -> audiences that flipped -> audiences that ask about them, and so on
//	clusters of the values before and after, where anything their clauses read differs -> the same
//	vectors of ages: thresholds ahead of the clock, the nearest first -> the next flip
//
// Nothing is looked at where no vector and no residue differs.
//
// An attribute compared with the clock has a second vector, of its age: its value less now lies somewhere on a scale of
// offsets, and time walks down that scale. The next flip is exact: an instant is told only when some membership changes at it.
//
// # Use
//
// A Set is immutable and shared; a Judge is the scratch memory of one goroutine. A judgement allocates nothing once the
// judge has seen its like, apart from what a Row allocates to parse itself. For a scan over many users, compile the
// one audience, and what it refers to, into a set of its own: a match then reads only the columns that it needs.
//
// Compile makes a set, Set.Update one that differs a little, and a Compiler whatever is needed to follow a changing list of
// audiences: it shares a base between sets, merges in the background, and plans anew when Statistics say so. Its owner must
// Close it.
//
// # Limits
//
// Definitions within the limits of package evaluator compile to a size linear in theirs: a product of disjunctions is
// expanded to at most 64 clauses of 512 literals together, and stays a tree beyond. The patterns of one attribute share an
// automaton of at most 16 MB; longer ones are looked for one by one. DESIGN.md has the reasons.
package compiled
