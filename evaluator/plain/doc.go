// Package plain judges users by walking each audience's conditions as LANGUAGE.md reads, one after the other, with no index
// and no trick: it is the oracle that the fast evaluator is tested against, what verify recomputes memberships with, and
// what explains a verdict.
//
//	Compile(audiences, schema)            Set       immutable, may be shared; audiences in topological order
//	  -> NewJudge                         Judge     scratch memory of one goroutine
//	       Match(input)                   who is in, and when time alone changes that
//	       Diff(before, after)            who came and went, in an order in which references come first
//	       Explain(input, audience)       the tree of conditions with values and verdicts
//
// One input is judged through a view of it at an instant:
//
//	view{input, now} -- audience --> segments (any) -- conditions (all) -- leaf --> holds
//	                        ^                                               |
//	                        +---- is_audience_member of another, remembered +----> Input.Given, of static and settling ones
//
// The next flip is found by trial: the instants at which some leaf changes its verdict are worked out, and the audience is
// judged again at each in turn until its verdict differs.
package plain
