package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"cel.dev/cel-go/cel"

	"muster/evaluator"
	"muster/evaluator/compiled/workload"
)

func sortIDs(ids []evaluator.AudienceID) { slices.Sort(ids) }

// dialect is how an expression language writes what it does not share with the other.
type dialect struct {
	prefix, suffix, within string // formats of a property and a text
}

var (
	exprDialect = dialect{"%s startsWith %s", "%s endsWith %s", "%s contains %s"}
	celDialect  = dialect{"%s.startsWith(%s)", "%s.endsWith(%s)", "%s.contains(%s)"}
)

// expression is a definition in a dialect.
func (d dialect) expression(def *evaluator.Definition) string {
	segments := make([]string, len(def.Segments))
	for i := range def.Segments {
		conditions := make([]string, len(def.Segments[i].Conditions))
		for k := range def.Segments[i].Conditions {
			conditions[k] = d.condition(&def.Segments[i].Conditions[k])
		}
		segments[i] = "(" + strings.Join(conditions, " && ") + ")"
	}
	return strings.Join(segments, " || ")
}

func (d dialect) condition(c *evaluator.Condition) string {
	p := c.Property[0]
	switch c.Operator {
	case evaluator.OpEqualTo:
		return p + " == " + constant(c.Argument.Value)
	case evaluator.OpNotEqualTo:
		return p + " != " + constant(c.Argument.Value)
	case evaluator.OpEqualToAny:
		return p + " in " + constant(c.Argument.Value)
	case evaluator.OpExists:
		return p + ` != ""`
	case evaluator.OpStartsWith:
		return fmt.Sprintf(d.prefix, p, constant(c.Argument.Value))
	case evaluator.OpEndsWith:
		return fmt.Sprintf(d.suffix, p, constant(c.Argument.Value))
	case evaluator.OpContains:
		return fmt.Sprintf(d.within, p, constant(c.Argument.Value))
	case evaluator.OpLessThan, evaluator.OpIsTimestampBefore:
		return p + " < " + constant(c.Argument.Value)
	case evaluator.OpLessThanOrEqualTo:
		return p + " <= " + constant(c.Argument.Value)
	case evaluator.OpGreaterThanOrEqualTo, evaluator.OpIsTimestampOnOrAfter:
		return p + " >= " + constant(c.Argument.Value)
	case evaluator.OpIsBetween:
		return fmt.Sprintf("(%s >= %s && %s <= %s)", p, constant(c.Argument.Ends[0].Value), p, constant(c.Argument.Ends[1].Value))
	}
	panic("the workload has an operator that rivals do not: " + c.Operator.String())
}

func constant(v evaluator.Value) string {
	switch v.Kind() {
	case evaluator.KindList:
		items := make([]string, len(v.Items()))
		for i, item := range v.Items() {
			items[i] = constant(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case evaluator.KindNumber, evaluator.KindTimestamp:
		text := strconv.FormatFloat(number(v), 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	case evaluator.KindBool:
		return strconv.FormatBool(v.Bool())
	}
	return strconv.Quote(v.Text())
}

// number is a number, or a time in microseconds.
func number(v evaluator.Value) float64 {
	if i, ok := v.Instant(); ok {
		return float64(i)
	}
	n, _ := strconv.ParseFloat(v.Number().String(), 64)
	return n
}

// exprEnvironment is a user as expr likes it best: a struct.
type exprEnvironment struct {
	Account string  `expr:"account"`
	Plan    string  `expr:"plan"`
	Country string  `expr:"country"`
	City    string  `expr:"city"`
	Email   string  `expr:"email"`
	Seats   float64 `expr:"seats"`
	Score   float64 `expr:"score"`
	Active  bool    `expr:"active"`
	Signup  float64 `expr:"signup"`
	Seen    float64 `expr:"seen"`
}

type exprRival struct {
	programs []*vm.Program
	users    []exprEnvironment
	machine  vm.VM
}

func newExpr(audiences []evaluator.Audience) (rival, error) {
	r := new(exprRival)
	for _, a := range audiences {
		p, err := expr.Compile(exprDialect.expression(a.Definition), expr.Env(exprEnvironment{}), expr.AsBool())
		if err != nil {
			return nil, err
		}
		r.programs = append(r.programs, p)
	}
	return r, nil
}

func (r *exprRival) decode(row *evaluator.Row, _ string) (int, error) {
	f := func(name string) any { return field(row, workload.Schema.Column(name)) }
	r.users = append(r.users, exprEnvironment{
		f("account").(string), f("plan").(string), f("country").(string), f("city").(string), f("email").(string),
		f("seats").(float64), f("score").(float64), f("active").(bool), f("signup").(float64), f("seen").(float64),
	})
	return len(r.users) - 1, nil
}

func (r *exprRival) holds(audience, user int) (bool, error) {
	v, err := r.machine.Run(r.programs[audience], &r.users[user])
	if err != nil {
		return false, err
	}
	return v.(bool), nil
}

type celRival struct {
	programs []cel.Program
	users    []cel.Activation
}

func newCEL(audiences []evaluator.Audience) (rival, error) {
	var variables []cel.EnvOption
	for i := range workload.Schema.Columns[1:] {
		c := &workload.Schema.Columns[i+1]
		t := cel.StringType
		switch c.Type.Kind {
		case evaluator.ColumnNumber, evaluator.ColumnTimestamp:
			t = cel.DoubleType
		case evaluator.ColumnBool:
			t = cel.BoolType
		}
		variables = append(variables, cel.Variable(c.Name, t))
	}
	env, err := cel.NewEnv(variables...)
	if err != nil {
		return nil, err
	}
	r := new(celRival)
	for _, a := range audiences {
		ast, issues := env.Compile(celDialect.expression(a.Definition))
		if issues.Err() != nil {
			return nil, issues.Err()
		}
		p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			return nil, err
		}
		r.programs = append(r.programs, p)
	}
	return r, nil
}

func (r *celRival) decode(row *evaluator.Row, _ string) (int, error) {
	values := make(map[string]any)
	for i := range workload.Schema.Columns[1:] {
		values[workload.Schema.Columns[i+1].Name] = field(row, i+1)
	}
	a, err := cel.NewActivation(values)
	r.users = append(r.users, a)
	return len(r.users) - 1, err
}

func (r *celRival) holds(audience, user int) (bool, error) {
	v, _, err := r.programs[audience].Eval(r.users[user])
	if err != nil {
		return false, err
	}
	return v.Value().(bool), nil
}
