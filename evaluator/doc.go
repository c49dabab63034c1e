// Package evaluator holds the condition language of audiences: the values it speaks of, how they come out of Postgres's
// text and out of JSON, the relations between them, and how a definition is decoded, checked and named by its content.
// LANGUAGE.md, beside this file, is the language as users read it.
//
//	users table row                              audience.json
//	  Tuple + Schema                               document
//	      |                                           |
//	     Row --- Source <- Schema.Resolve <- Path <- Decode -> Faults, Warnings
//	      |                                           |
//	    Value <-- Equal, Order, Contains ... -->   Definition --> Canonical, SHA
//	      |                                           |
//	      |                                        CheckSet (references, cycles, tenants)
//	      |                                           |
//	      +----> plain.Judge / compiled.Judge <-------+
//	                 Input -> Match, Diff
//
// The package does no I/O, has no clock and starts no goroutine: the same inputs give the same answers on every machine.
// Nothing in it panics on any bytes, and parsing takes time linear in them (sorting the keys of an object aside).
//
// Two packages below it judge. Package plain is the straightforward reading of LANGUAGE.md and serves as the oracle;
// package compiled is the one that runs. Both are built on the types here and on the primitive relations (Equal, Order,
// Contains, ContainsAll, EqualAny, Empty, NumericString, TimestampString), and on nothing else in common.
package evaluator
