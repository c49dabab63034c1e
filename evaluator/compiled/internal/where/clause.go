package where

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"muster/evaluator"
)

// ErrNotSQL is returned for a condition that Postgres has no equal of; the package comment lists them.
var ErrNotSQL = errors.New("SQL has no equal of this condition")

// From is the FROM clause that clauses are asked under: users are u, q says of each user the instant asked about, q.now, and the
// table members, of user_id, audience and tenant, holds the memberships that are given.
const From = "questions AS q JOIN users AS u ON u.id = q.user_id"

// Clauses says audiences over one schema.
type Clauses struct {
	schema    *evaluator.Schema
	audiences map[string]*evaluator.Definition
}

// New returns the clauses of audiences. Questions of membership are answered from among them.
func New(schema *evaluator.Schema, audiences []evaluator.Audience) *Clauses {
	c := &Clauses{schema, make(map[string]*evaluator.Definition, len(audiences))}
	for _, a := range audiences {
		c.audiences[a.Definition.Key] = a.Definition
	}
	return c
}

// Of returns the condition under which a user of From is in a dynamic audience. It is true or false, never NULL.
func (c *Clauses) Of(d *evaluator.Definition) (string, error) {
	segments := make([]string, len(d.Segments))
	for i := range d.Segments {
		var err error
		if segments[i], err = c.all(d.Segments[i].Conditions, " AND "); err != nil {
			return "", err
		}
	}
	return "(" + strings.Join(segments, " OR ") + ")", nil
}

func (c *Clauses) all(conditions []evaluator.Condition, operator string) (string, error) {
	list := make([]string, len(conditions))
	for i := range conditions {
		var err error
		if list[i], err = c.condition(&conditions[i]); err != nil {
			return "", err
		}
	}
	return "(" + strings.Join(list, operator) + ")", nil
}

func (c *Clauses) condition(one *evaluator.Condition) (string, error) {
	switch one.Group {
	case evaluator.All:
		return c.all(one.Conditions, " AND ")
	case evaluator.Any:
		return c.all(one.Conditions, " OR ")
	case evaluator.Not:
		inner, err := c.condition(&one.Conditions[0])
		return "NOT " + inner, err
	}
	return c.leaf(one)
}

// member is the clause of the audience that is asked about, or a look at what is given.
func (c *Clauses) member(r *evaluator.Reference) (string, error) {
	d := c.audiences[r.Audience]
	if d == nil {
		return "", fmt.Errorf("%s: audience %s is not said either: %w", r.At, r.Audience, ErrNotSQL)
	}
	if !d.Given() {
		return c.Of(d)
	}
	return fmt.Sprintf("EXISTS (SELECT FROM members AS m WHERE m.user_id = u.id AND m.audience = %s AND m.tenant = %s)",
		literal(r.Audience), literal(r.Tenant)), nil
}

// property is what a path leads to.
func (c *Clauses) property(p evaluator.Path) operand {
	s := c.schema.Resolve(p)
	if s.Column < 0 {
		return operand{null: "true"}
	}
	column := &c.schema.Columns[s.Column]
	whole := columnOperand(column.Name, column.Type)
	switch {
	case len(s.Steps) == 0:
		return whole
	case whole.list == "": // only documents and lists can be walked into
		return operand{null: "true"}
	}
	e := "u." + identifier(column.Name)
	if column.Type.Kind == evaluator.ColumnArray {
		e = whole.list
	}
	if s.Property {
		e = "json_object(" + e + ")"
	}
	for _, step := range s.Steps {
		e = walk(e, step)
	}
	return jsonOperand(e)
}

// walk is one step into a document: a key of an object, or an index of a list.
func walk(e, step string) string {
	if i, err := strconv.ParseInt(step, 10, 32); err == nil && i >= 0 && strconv.FormatInt(i, 10) == step {
		return fmt.Sprintf("json_step(%s, %s, %s)", e, literal(step), step)
	}
	return "(" + e + " -> " + literal(step) + ")"
}
