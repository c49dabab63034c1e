package compiled

import (
	"cmp"
	"slices"
)

// ask is a question of one audience about another, of the part at hand.
type ask struct {
	about int32
	by    asker
}

// asker is an audience that asks about another. The word that it is a bit of is found without a look at the audience.
type asker struct {
	handle
	group    int32 // where its questions are bits; none where they are not
	bit      uint8
	aboutBit uint8 // of the one asked about, in its group
}

// asking is who asks about the audiences of a part.
type asking struct {
	askers  []asker             // in the order of the audiences asked about
	of      map[int32][2]uint32 // by audience: where in askers its are
	inGroup []uint32            // by group, and one more: where in askers those of its audiences are
	about   []uint64            // by group: the audiences asked about
}

func (s *Set) noteAsking(p *part, a *audience, h handle, asks [][]ask) {
	by := asker{handle: h, group: none}
	if n := p.segment.groupOf[h.audience]; n != none && p.segment.groups[n].kind == byResidue {
		by.group, by.bit = n, uint8(h.audience-p.segment.groups[n].audience)
	}
	for _, r := range a.asks {
		switch t := &p.targets[r]; t.kind {
		case targetGiven:
			s.given[t.given.Audience] = append(s.given[t.given.Audience], h)
		case targetJudged, targetBit:
			asks[t.part] = append(asks[t.part], ask{t.audience, by})
		}
	}
}

func newAsking(g *segment, asks []ask) asking {
	slices.SortStableFunc(asks, func(a, b ask) int { return cmp.Compare(a.about, b.about) })
	k := asking{inGroup: make([]uint32, len(g.groups)+1), about: make([]uint64, len(g.groups)), of: make(map[int32][2]uint32)}
	for i, a := range asks {
		if n := g.groupOf[a.about]; n != none {
			a.by.aboutBit = uint8(a.about - g.groups[n].audience)
			k.about[n] |= 1 << a.by.aboutBit
			k.inGroup[n+1] = uint32(i + 1)
		}
		k.askers = append(k.askers, a.by)
		at, ok := k.of[a.about]
		if !ok {
			at[0] = uint32(i)
		}
		at[1] = uint32(i + 1)
		k.of[a.about] = at
	}
	for n := range g.groups {
		k.inGroup[n+1] = max(k.inGroup[n+1], k.inGroup[n])
	}
	return k
}

// touchAskersOf touches the audiences that ask about one that flipped.
func (s *scratch) touchAskersOf(a int32) {
	k := &s.part.asking
	at := k.of[a]
	for i := at[0]; i < at[1]; i++ {
		s.judge.touchAsker(&k.askers[i])
	}
}

// touchAskersIn does so for the audiences of a group.
func (s *scratch) touchAskersIn(group int32, flipped uint64) {
	k := &s.part.asking
	for i := k.inGroup[group]; i < k.inGroup[group+1]; i++ {
		if by := &k.askers[i]; flipped>>by.aboutBit&1 != 0 {
			s.judge.touchAsker(by)
		}
	}
}

func (j *Judge) touchAsker(by *asker) {
	s := j.parts[by.part]
	if by.group == none {
		s.touch(by.audience)
		return
	}
	s.touchBit(by.group, by.bit)
}

// touchBit has the verdicts of an audience compared whose questions are bits.
func (s *scratch) touchBit(group int32, bit uint8) {
	if s.asking[group] == 0 {
		s.pending = append(s.pending, group)
	}
	s.asking[group] |= 1 << bit
}
