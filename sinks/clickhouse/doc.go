// Package clickhouse records every membership event in ClickHouse and answers questions about the past from it.
//
//	events of the outbox ──Deliver──> split by month ──> one insert a month ──> membership_events   (history, optional TTL)
//	                           └────> last of each membership ───────────────> memberships          (state, no TTL)
//	definitions of the log ──RecordDefinitions───────────────────────────────> audience_versions
//
//	members, members_at(at), user_timeline, audience_daily, audience_definitions: views, made by the migrations
//
// Guarantees:
//
//   - Deliver returns nil only after every row of the batch is in ClickHouse, synced to its disk. A failed insert has an
//     unknown outcome; it is sent again with the identical rows in the identical order and the same deduplication token
//     until it succeeds or the context ends.
//   - A row's identity is its membership, entry count and type (what event.Event.ID is made of), and is the sorting key of
//     a ReplacingMergeTree, so that a repeat that escapes the server's deduplication window is still the same row. The views
//     read through FINAL or argMin and count it once.
//   - Each insert is one block in one partition, which is what ClickHouse makes atomic.
//   - The schema is made and upgraded by numbered migrations, which any number of workers may run at once.
//   - Only terminal errors are returned, as *Error, and each names its repair. All else is retried.
//
// A Sink is used by one goroutine at a time; a History by any number. DESIGN.md has the decisions and what was rejected.
package clickhouse
