// Package pgoutput turns the messages of Postgres's logical decoding plugin of the same name into transactions.
//
//	XLogData payload --Decoder.Decode--> relation cache, open transaction --Commit--> pending --Take--> []event.Transaction
//
// It does no I/O but for the types of a table's columns, which it asks a Catalog for when a Relation message names one
// that it has not met. What it guarantees:
//
//   - Transactions come out whole and in commit order. One beyond PartChanges or PartBytes comes in parts whose bounds
//     depend on its changes alone, so that they fall in the same places each time the transaction is sent.
//   - Nothing comes out twice: after Restart, transactions and parts that were decoded before are skipped when the server
//     sends them again.
//   - A row's bytes are copied out of the message once, into chunks shared by neighbouring rows, straight into the form it
//     is stored in. What Take returns is the caller's and never written to again.
//   - Malformed bytes are an error (ErrMalformed), never a panic and never a wrong row.
//
// A Decoder belongs to one goroutine.
package pgoutput
