// Muster keeps every audience's membership exact, from Postgres's log to Kafka and ClickHouse. See README.md.
package main

import (
	"os"

	"muster/deploy/local/engine"
	"muster/pipeline/app/command"
)

func main() {
	engine.RunChild() // the local stack runs its ClickHouse engine in a copy of this program
	os.Exit(command.Main(os.Args[1:]))
}
