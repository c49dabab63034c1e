package compiled

import (
	"encoding/binary"

	"muster/evaluator"
)

// builder collects what the audiences of one segment share while it is compiled.
type builder struct {
	schema     *evaluator.Schema
	segment    *segment
	attributes map[string]int32
	predicates map[string]int32
	references map[reference]int32
	seeds      map[string]int32
	key        []byte
	null       scratch // to judge constants with: it has no row
}

func newBuilder(schema *evaluator.Schema) *builder {
	return &builder{
		schema:     schema,
		segment:    &segment{schema: schema},
		attributes: make(map[string]int32),
		predicates: make(map[string]int32),
		references: make(map[reference]int32),
		seeds:      make(map[string]int32),
		null:       scratch{inputs: [2]*evaluator.Input{{}, {}}},
	}
}

// attribute returns the number of what a path leads to, or none when there is nothing.
func (b *builder) attribute(p evaluator.Path) int32 {
	source := b.schema.Resolve(p)
	if source.Column < 0 {
		return none
	}
	b.key = appendSource(b.key[:0], source)
	i, ok := b.attributes[string(b.key)]
	if !ok {
		i = int32(len(b.segment.attributes))
		b.attributes[string(b.key)] = i
		b.segment.attributes = append(b.segment.attributes, attribute{source: source, whole: !source.Property && len(source.Steps) == 0})
	}
	return i
}

// appendSource appends bytes that two sources share exactly when they are the same place.
func appendSource(dst []byte, s evaluator.Source) []byte {
	dst = binary.AppendVarint(dst, int64(s.Column))
	if s.Property {
		dst = append(dst, 'p')
	}
	for _, step := range s.Steps {
		dst = binary.AppendUvarint(dst, uint64(len(step))+1)
		dst = append(dst, step...)
	}
	return dst
}

// predicate returns the number of a predicate.
func (b *builder) predicate(p predicate) int32 {
	b.key = p.appendKey(b.key[:0])
	i, ok := b.predicates[string(b.key)]
	if !ok {
		i = int32(len(b.segment.predicates))
		b.predicates[string(b.key)] = i
		prepare(&p)
		b.segment.predicates = append(b.segment.predicates, p)
	}
	return i
}

// longList is the length from which a list argument is looked up instead of walked.
const longList = 8

// prepare works out of a constant argument what evaluation would otherwise work out each time.
func prepare(p *predicate) {
	if p.op == opMatches && p.pattern != nil {
		p.required = required(p.pattern.String())
	}
	if p.argument != argConstant {
		return
	}
	switch p.op {
	case opGreater, opGreaterOrEqual, opLess, opLessOrEqual:
		p.order = p.value.OrderKind()
		p.number, _ = p.value.Numeric()
		p.moment, _ = p.value.Time()
	case opBefore, opOnOrAfter, opOnOrBefore:
		p.moment, _ = p.value.Time()
	case opEqualAny:
		if items := p.value.Items(); len(items) >= longList {
			p.items = new(dictionary)
			for _, item := range items {
				p.items.file(item, p.fold, func() int32 { return 0 })
			}
		}
	}
}

// constant reports the verdict of a predicate that is the same for every user: nothing it reads is there.
func (b *builder) constant(i int32) (verdict, constant bool) {
	p := &b.segment.predicates[i]
	if p.op == opMember || p.op == opSample || p.attribute != none || p.argument == argDynamic && p.other != none {
		return false, false
	}
	return b.null.evaluate(b.segment, p, after), true
}

// leaf is a condition that is no group: both its predicates hold, or not when negated. It is kept for audiences with
// references, to tell a change of their own from one that came by reference.
type leaf struct {
	first, second int32 // second is none but for a between
	negated       bool
	mask          uint64 // of what it reads
}

var plainOperations = map[evaluator.Operator]operation{
	evaluator.OpEqualTo:              opEqual,
	evaluator.OpEqualToAny:           opEqualAny,
	evaluator.OpGreaterThan:          opGreater,
	evaluator.OpGreaterThanOrEqualTo: opGreaterOrEqual,
	evaluator.OpLessThan:             opLess,
	evaluator.OpLessThanOrEqualTo:    opLessOrEqual,
	evaluator.OpContains:             opContains,
	evaluator.OpContainsAll:          opContainsAll,
	evaluator.OpStartsWith:           opPrefix,
	evaluator.OpEndsWith:             opSuffix,
	evaluator.OpMatches:              opMatches,
	evaluator.OpEmpty:                opEmpty,
	evaluator.OpExists:               opExists,
	evaluator.OpIsTimestamp:          opIsTimestamp,
	evaluator.OpIsTimestampBefore:    opBefore,
	evaluator.OpIsTimestampOnOrAfter: opOnOrAfter,
}

func (b *builder) leaf(c *evaluator.Condition) leaf {
	positive, negated := c.Operator.Positive()
	l := leaf{second: none, negated: negated}
	switch positive {
	case evaluator.OpIsAudienceMember:
		l.first = b.predicate(predicate{op: opMember, attribute: none, other: none, reference: b.reference(c.Argument.Reference)})
	case evaluator.OpInSample:
		l.first = b.predicate(predicate{
			op: opSample, attribute: none, other: none, reference: none, sample: c.Argument.Sample, seed: b.seed(c.Argument.Sample.Seed),
		})
	case evaluator.OpIsTimestampBeforeNow:
		l.first = b.compare(opBefore, c, &evaluator.Argument{Kind: evaluator.ArgumentRelative})
	case evaluator.OpIsTimestampOnOrAfterNow:
		l.first = b.compare(opOnOrAfter, c, &evaluator.Argument{Kind: evaluator.ArgumentRelative})
	case evaluator.OpIsTimestampBetween:
		l.first = b.compare(opOnOrAfter, c, &c.Argument.Ends[0])
		l.second = b.compare(opOnOrBefore, c, &c.Argument.Ends[1])
	case evaluator.OpIsBetween:
		l.first = b.compare(opGreaterOrEqual, c, &c.Argument.Ends[0])
		l.second = b.compare(opLessOrEqual, c, &c.Argument.Ends[1])
	default:
		l.first = b.compare(plainOperations[positive], c, &c.Argument)
	}
	return l
}

// compare returns the predicate that compares the property of c with an argument.
func (b *builder) compare(op operation, c *evaluator.Condition, a *evaluator.Argument) int32 {
	p := predicate{op: op, fold: c.IgnoreCase, attribute: b.attribute(c.Property), other: none, reference: none, pattern: a.Pattern}
	switch a.Kind {
	case evaluator.ArgumentConstant:
		p.value = a.Value
	case evaluator.ArgumentDynamic:
		p.argument, p.other = argDynamic, b.attribute(a.Path)
	case evaluator.ArgumentRelative:
		p.argument, p.offset = argRelative, a.Offset
	}
	return b.predicate(p)
}

// reference is a question about the membership of another audience.
type reference struct {
	key, tenant string
}

func (b *builder) reference(r *evaluator.Reference) int32 {
	return numberOf(reference{r.Audience, r.Tenant}, b.references, &b.segment.references)
}

func (b *builder) seed(seed string) int32 { return numberOf(seed, b.seeds, &b.segment.seeds) }

// numberOf returns the number of an item in a list, at the end of which it is put when it is new.
func numberOf[T comparable](item T, numbers map[T]int32, list *[]T) int32 {
	i, ok := numbers[item]
	if !ok {
		i = int32(len(*list))
		numbers[item] = i
		*list = append(*list, item)
	}
	return i
}
