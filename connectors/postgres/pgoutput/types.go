package pgoutput

import (
	"context"
	"fmt"

	"muster/evaluator"
)

// Catalog answers what the catalog says now.
type Catalog interface {
	// Types returns a row for each of the OIDs that exists.
	Types(ctx context.Context, oids []uint32) ([]Type, error)
	// Table returns the shape of a table, the zero Shape when there is none of that OID.
	Table(ctx context.Context, oid uint32) (Shape, error)
}

// Type is what is needed of a row of pg_type.
type Type struct {
	OID       uint32
	Base      uint32 // of a domain, else 0
	Element   uint32 // of an array, else 0
	Delimiter byte   // between the items of arrays of this type
}

// types caches the column types by OID. OIDs of types are not reused while a table has a column of theirs.
type types struct {
	catalog Catalog
	known   map[uint32]Type
}

// The types of Postgres itself that are more to conditions than their text, and the everyday ones among the others, so
// that an ordinary table needs no query.
var builtin = map[uint32]evaluator.ColumnKind{
	16: evaluator.ColumnBool, 17: evaluator.ColumnBytea,
	20: evaluator.ColumnNumber, 21: evaluator.ColumnNumber, 23: evaluator.ColumnNumber, // int8, int2, int4
	700: evaluator.ColumnNumber, 701: evaluator.ColumnNumber, 1700: evaluator.ColumnNumber, // float4, float8, numeric
	1082: evaluator.ColumnTimestamp, 1114: evaluator.ColumnTimestamp, 1184: evaluator.ColumnTimestamp, // date, timestamp, timestamptz
	114: evaluator.ColumnJSON, 3802: evaluator.ColumnJSON, // json, jsonb
	1042: evaluator.ColumnChar,                                                                                                            // char(n)
	18:   evaluator.ColumnText, 19: evaluator.ColumnText, 25: evaluator.ColumnText, 869: evaluator.ColumnText, 1043: evaluator.ColumnText, // "char", name, text, inet, varchar
	1083: evaluator.ColumnText, 1186: evaluator.ColumnText, 2950: evaluator.ColumnText, // time, interval, uuid
}

// resolve returns the type of each column. A type that no longer exists (dropped since the change was made) is text.
func (t *types) resolve(ctx context.Context, columns []Column) ([]evaluator.ColumnType, error) {
	wanted := make([]uint32, len(columns))
	for i := range columns {
		wanted[i] = columns[i].Type
	}
	if err := t.learn(ctx, wanted); err != nil {
		return nil, err
	}
	resolved := make([]evaluator.ColumnType, len(columns))
	for i, oid := range wanted {
		resolved[i] = t.columnType(oid)
	}
	return resolved, nil
}

// learn asks the catalog for the given types and, level by level, for what they are made of.
func (t *types) learn(ctx context.Context, oids []uint32) error {
	for {
		var missing []uint32
		for _, oid := range oids {
			if _, known := t.known[oid]; !known && !isBuiltin(oid) {
				missing = append(missing, oid)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		rows, err := t.catalog.Types(ctx, missing)
		if err != nil {
			return fmt.Errorf("look up the types of the users table's columns: %w", err)
		}
		for _, oid := range missing {
			t.known[oid] = Type{OID: oid}
		}
		oids = oids[:0:0]
		for _, row := range rows {
			t.known[row.OID] = row
			oids = append(oids, row.Base, row.Element)
		}
	}
}

func isBuiltin(oid uint32) bool {
	_, ok := builtin[oid]
	return ok || oid == 0
}

func (t *types) columnType(oid uint32) evaluator.ColumnType {
	if kind, ok := builtin[oid]; ok {
		return evaluator.ColumnType{Kind: kind}
	}
	switch row := t.known[oid]; {
	case row.Base != 0:
		return t.columnType(row.Base)
	case row.Element != 0:
		element := t.columnType(row.Element)
		return evaluator.ColumnType{Kind: evaluator.ColumnArray, Element: &element, Delimiter: row.Delimiter}
	}
	return evaluator.ColumnType{Kind: evaluator.ColumnText}
}

// sameText reports whether a value keeps its text when a column goes from one type to the other.
func sameText(a, b uint32) bool {
	integer := func(oid uint32) bool { return oid == 20 || oid == 21 || oid == 23 }
	text := func(oid uint32) bool { return oid == 25 || oid == 1043 || oid == 2950 }
	return a == b || integer(a) && (integer(b) || text(b)) || text(a) && text(b)
}
