// Command bench measures Muster's evaluator beside the libraries that people build such a thing from: expr, cel-go and the
// rules of LaunchDarkly's evaluation. It is a module of its own so that none of them is a dependency of the product.
//
//	go run . -out results.json            everything; -max 10000 leaves the largest sets out
//
// Beside the file it prints the machine, the versions and, as tables for BENCHMARKS.md, the figures and how many times the best
// rival takes.
//
// Every subject gets the same audiences and the same users, decoded to what it likes best before the clock runs, and must
// find the same changes, or the program fails. Rivals run as shipped (both rows are judged by every audience) and helped: with
// the membership before the change remembered, and only the audiences judged that read an attribute that changed.
package main
