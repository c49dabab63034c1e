package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"muster/evaluator/compiled/workload"
)

var (
	out     = flag.String("out", "", "file for the results, a JSON array with a row a measurement; empty is standard output")
	largest = flag.Int("max", 100_000, "the most audiences")
	passes  = flag.Int("passes", 1, "how many times everything is measured; the best of each counts")
	least   = flag.Duration("time", 300*time.Millisecond, "how long each measurement lasts at least")
)

func main() {
	flag.Parse()
	var rows []Row
	for range *passes {
		rows = keepBest(rows, measureEverything())
	}
	if err := report(os.Stderr, rows); err != nil {
		fmt.Fprintf(os.Stderr, "bench: print the tables: %v\n", err)
		os.Exit(1)
	}
	if err := write(rows); err != nil {
		fmt.Fprintf(os.Stderr, "bench: write the results: %v\n", err)
		os.Exit(1)
	}
}

func measureEverything() (rows []Row) {
	for _, kind := range []workload.Kind{workload.Dense, workload.Mixed, workload.Sparse} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			if n > *largest {
				continue
			}
			found, err := measureAll(kind, n)
			if err != nil {
				fmt.Fprintf(os.Stderr, "bench: %s, %d audiences: %v\n", kind, n, err)
				os.Exit(1)
			}
			rows = append(rows, found...)
		}
	}
	return rows
}

// keepBest returns the faster ones of two measurements of the same.
func keepBest(rows, again []Row) []Row {
	if rows == nil {
		return again
	}
	for i := range again {
		if again[i].CPUNsOp < rows[i].CPUNsOp {
			rows[i] = again[i]
		}
	}
	return rows
}

func write(rows []Row) error {
	to := os.Stdout
	if *out != "" {
		file, err := os.Create(*out)
		if err != nil {
			return err
		}
		defer file.Close()
		to = file
	}
	e := json.NewEncoder(to)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}
