package evaluator

// What a definition may hold at most. A definition beyond a limit is refused with a fault that names it, so that judging
// takes bounded time and memory whoever wrote it.
const (
	MaxDocument   = 1 << 20 // bytes of a definition
	MaxDepth      = 16      // groups in one another
	MaxConditions = 10_000  // conditions and groups of a definition
	MaxItems      = 10_000  // items of a list argument
	MaxPattern    = 1_000   // code points of a pattern
	MaxProgram    = 10_000  // instructions that a pattern compiles to: repetitions multiply what they repeat
	MaxPrograms   = 200_000 // of all patterns of a definition together
	MaxInclude    = 100     // properties that events carry
	MaxKey        = 128     // characters of an audience's key
	MaxSettleDays = 36_500  // of a settle duration
	MaxFaults     = 1_000   // that are told of one definition
)

// IsKey reports whether s can be an audience's key: [a-z0-9][a-z0-9_-]{0,127}.
func IsKey(s string) bool {
	if s == "" || len(s) > MaxKey || s[0] == '_' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

const keyHint = "a key is a to z, 0 to 9, _ and -, at most 128 of them, and begins with a letter or a digit"
