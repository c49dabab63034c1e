// Package workload makes the audiences and users that evaluators are measured with: ten attributes, audiences of one or two
// segments with two or three conditions, and changes of some attributes of one user.
//
//	dense   conditions on what many users share (plan, country, ranges, times): about one audience in a hundred changes
//	sparse  each segment pins one of 20,000 accounts: hardly any changes, however many audiences there are
//	mixed   every other audience of each
//
// Everything is made from a seed, so that two runs, and two subjects in one run, see the same.
package workload
