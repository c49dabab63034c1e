package command

// around is how many lines that stay are shown beside those that change.
const around = 3

// edit is one line of a script that turns one text into another.
type edit struct {
	sign byte // ' ', '-' or '+'
	line string
}

// diffLines returns the changes from one text to another, with a sign in front of every line and a few that stay around
// them; nothing when the two are the same.
func diffLines(before, after []string) []string {
	script := editScript(before, after)
	show := make([]bool, len(script))
	changed := false
	for i, e := range script {
		if e.sign == ' ' {
			continue
		}
		changed = true
		for j := max(0, i-around); j <= min(len(script)-1, i+around); j++ {
			show[j] = true
		}
	}
	if !changed {
		return nil
	}
	var out []string
	for i, e := range script {
		switch {
		case show[i]:
			out = append(out, string(e.sign)+" "+e.line)
		case i == 0 || show[i-1]:
			out = append(out, "  ...")
		}
	}
	return out
}

// tooDifferent bounds the search: texts that differ more are shown as one taken away and the other put in its place.
const tooDifferent = 1_000

// editScript finds a shortest script of edits (Myers, "An O(ND) difference algorithm and its variations", 1986).
func editScript(a, b []string) []edit {
	var trace [][]int
	frontier := map[int]int{1: 0}
	for d := 0; d <= len(a)+len(b) && d <= tooDifferent; d++ {
		reached := make([]int, 2*d+1)
		for k := -d; k <= d; k += 2 {
			x := frontier[k-1] + 1
			if k == -d || k != d && frontier[k-1] < frontier[k+1] {
				x = frontier[k+1]
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			frontier[k] = x
			reached[k+d] = x
			if x >= len(a) && x-k >= len(b) {
				return backtrack(a, b, append(trace, reached))
			}
		}
		trace = append(trace, reached)
	}
	var script []edit
	for _, line := range a {
		script = append(script, edit{'-', line})
	}
	for _, line := range b {
		script = append(script, edit{'+', line})
	}
	return script
}

// backtrack walks from the end of both texts to their beginning along what each round reached.
func backtrack(a, b []string, trace [][]int) []edit {
	x, y := len(a), len(b)
	var script []edit
	for d := len(trace) - 1; d >= 0; d-- {
		k := x - y
		fromX, fromY := 0, 0
		if d > 0 {
			reach := func(k int) int {
				if i := k + d - 1; i >= 0 && i < len(trace[d-1]) {
					return trace[d-1][i]
				}
				return -1
			}
			from := k - 1
			if k == -d || k != d && reach(k-1) < reach(k+1) {
				from = k + 1
			}
			fromX = reach(from)
			fromY = fromX - from
		}
		for x > fromX && y > fromY {
			x, y = x-1, y-1
			script = append(script, edit{' ', a[x]})
		}
		if d > 0 {
			if x == fromX {
				y--
				script = append(script, edit{'+', b[y]})
			} else {
				x--
				script = append(script, edit{'-', a[x]})
			}
		}
	}
	for i, j := 0, len(script)-1; i < j; i, j = i+1, j-1 {
		script[i], script[j] = script[j], script[i]
	}
	return script
}
