package evaluator

// Operator is what a condition asks of its property.
type Operator uint8

// The operators, in the order of LANGUAGE.md.
const (
	OpEqualTo Operator = iota + 1
	OpNotEqualTo
	OpGreaterThan
	OpGreaterThanOrEqualTo
	OpLessThan
	OpLessThanOrEqualTo
	OpContains
	OpNotContains
	OpContainsAll
	OpNotContainsAll
	OpEmpty
	OpNotEmpty
	OpExists
	OpNotExists
	OpIsTimestamp
	OpIsTimestampBefore
	OpIsTimestampOnOrAfter
	OpIsTimestampBetween
	OpIsTimestampBeforeNow
	OpIsTimestampOnOrAfterNow
	OpIsBetween
	OpIsAudienceMember
	OpIsNotAudienceMember
	OpEqualToAny
	OpNotEqualToAny
	OpStartsWith
	OpEndsWith
	OpMatches
	OpNotMatches
	OpInSample
)

// argumentRule says how the argument of an operator is read.
type argumentRule uint8

const (
	takesNothing   argumentRule = iota // absent or null
	takesAnything                      // equal_to and kin, contains and kin
	takesOrder                         // order operators
	takesText                          // starts_with, ends_with
	takesList                          // contains_all, equal_to_any and kin
	takesRange                         // is_between
	takesTime                          // is_timestamp_before, is_timestamp_on_or_after
	takesTimeRange                     // is_timestamp_between
	takesPattern                       // matches and kin
	takesAudience                      // is_audience_member and kin
	takesSample                        // in_sample
)

type operatorRule struct {
	name     string
	positive Operator // the operator it negates; 0 when it is positive itself
	argument argumentRule
	folds    bool // ignore_case may be given
}

var operatorRules = [...]operatorRule{
	OpEqualTo:                 {name: "equal_to", argument: takesAnything, folds: true},
	OpNotEqualTo:              {name: "not_equal_to", positive: OpEqualTo, argument: takesAnything, folds: true},
	OpGreaterThan:             {name: "greater_than", argument: takesOrder},
	OpGreaterThanOrEqualTo:    {name: "greater_than_or_equal_to", argument: takesOrder},
	OpLessThan:                {name: "less_than", argument: takesOrder},
	OpLessThanOrEqualTo:       {name: "less_than_or_equal_to", argument: takesOrder},
	OpContains:                {name: "contains", argument: takesAnything, folds: true},
	OpNotContains:             {name: "not_contains", positive: OpContains, argument: takesAnything, folds: true},
	OpContainsAll:             {name: "contains_all", argument: takesList, folds: true},
	OpNotContainsAll:          {name: "not_contains_all", positive: OpContainsAll, argument: takesList, folds: true},
	OpEmpty:                   {name: "empty"},
	OpNotEmpty:                {name: "not_empty", positive: OpEmpty},
	OpExists:                  {name: "exists"},
	OpNotExists:               {name: "not_exists", positive: OpExists},
	OpIsTimestamp:             {name: "is_timestamp"},
	OpIsTimestampBefore:       {name: "is_timestamp_before", argument: takesTime},
	OpIsTimestampOnOrAfter:    {name: "is_timestamp_on_or_after", argument: takesTime},
	OpIsTimestampBetween:      {name: "is_timestamp_between", argument: takesTimeRange},
	OpIsTimestampBeforeNow:    {name: "is_timestamp_before_now"},
	OpIsTimestampOnOrAfterNow: {name: "is_timestamp_on_or_after_now"},
	OpIsBetween:               {name: "is_between", argument: takesRange},
	OpIsAudienceMember:        {name: "is_audience_member", argument: takesAudience},
	OpIsNotAudienceMember:     {name: "is_not_audience_member", positive: OpIsAudienceMember, argument: takesAudience},
	OpEqualToAny:              {name: "equal_to_any", argument: takesList, folds: true},
	OpNotEqualToAny:           {name: "not_equal_to_any", positive: OpEqualToAny, argument: takesList, folds: true},
	OpStartsWith:              {name: "starts_with", argument: takesText, folds: true},
	OpEndsWith:                {name: "ends_with", argument: takesText, folds: true},
	OpMatches:                 {name: "matches", argument: takesPattern, folds: true},
	OpNotMatches:              {name: "not_matches", positive: OpMatches, argument: takesPattern, folds: true},
	OpInSample:                {name: "in_sample", argument: takesSample},
}

var operatorsByName = func() map[string]Operator {
	m := make(map[string]Operator, len(operatorRules))
	for op := OpEqualTo; int(op) < len(operatorRules); op++ {
		m[operatorRules[op].name] = op
	}
	return m
}()

// ParseOperator returns the operator of a name.
func ParseOperator(name string) (Operator, bool) {
	op, ok := operatorsByName[name]
	return op, ok
}

// String is the operator's name.
func (o Operator) String() string { return operatorRules[o].name }

// Positive returns the positive operator and whether o is its exact negation. For a user that exists a negation holds
// exactly when the positive operator does not, also on a missing property.
func (o Operator) Positive() (Operator, bool) {
	if p := operatorRules[o].positive; p != 0 {
		return p, true
	}
	return o, false
}

// ReadsProperty reports whether the operator looks at its property. The membership operators and in_sample do not.
func (o Operator) ReadsProperty() bool {
	return operatorRules[o].argument != takesAudience && operatorRules[o].argument != takesSample
}

// IsMembership reports whether o is is_audience_member or its negation.
func (o Operator) IsMembership() bool { return operatorRules[o].argument == takesAudience }
