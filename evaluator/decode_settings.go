package evaluator

import "time"

// settings reads what a definition says beside its conditions. Null is as good as absent for each.
func (d *decoder) settings(v Value, def *Definition) {
	def.Settle = d.settle(v, def)
	def.TriggerFrequency = d.frequency(v)
	def.TriggerOnBackfill = d.backfill(v)
	def.Include = d.include(v)
}

func (d *decoder) settle(v Value, def *Definition) Settle {
	given, _ := v.Member("settle")
	switch {
	case given.IsNull():
		return Settle{}
	case given.Kind() != KindObject:
		d.fault("settle", `settle is {"enter": "10m", "exit": "1h"}, either or both`)
		return Settle{}
	case def.Type == Static:
		d.fault("settle", "a static audience has no conditions that could settle")
	}
	d.only("settle", given, "settle", "enter", "exit")
	def.settleWritten = given
	return Settle{Enter: d.duration("settle", "enter", given), Exit: d.duration("settle", "exit", given)}
}

func (d *decoder) duration(path, name string, v Value) time.Duration {
	given, _ := v.Member(name)
	if given.IsNull() {
		return 0
	}
	text := given.Text()
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	if last := len(text) - 1; last > 0 {
		n, ok := digitsValue(text[:last])
		unit := units[text[last]]
		if ok && unit > 0 && n <= int64(MaxSettleDays*24*time.Hour/unit) {
			return time.Duration(n) * unit
		}
	}
	d.fault(keyPath(path, name), `a duration is a whole number with s, m, h or d, such as "10m", up to %d days`, MaxSettleDays)
	return 0
}

func (d *decoder) frequency(v Value) TriggerFrequency {
	given, _ := v.Member("trigger_frequency")
	if given.IsNull() {
		return EveryTime
	}
	for i, name := range frequencyNames {
		if given.Text() == name {
			return TriggerFrequency(i)
		}
	}
	d.fault("trigger_frequency", "trigger_frequency is %s, not %s", enumerate(frequencyNames[:]), shown(given))
	return EveryTime
}

func (d *decoder) backfill(v Value) bool {
	given, _ := v.Member("trigger_on_backfill")
	if !given.IsNull() && given.Kind() != KindBool {
		d.fault("trigger_on_backfill", "trigger_on_backfill is true or false, not %s", shown(given))
	}
	return given.Bool()
}

func (d *decoder) include(v Value) []Path {
	given, _ := v.Member("include")
	switch {
	case given.IsNull():
		return nil
	case given.Kind() != KindList:
		d.fault("include", "include is a list of properties; %s", pathHint)
		return nil
	case len(given.Items()) > MaxInclude:
		d.fault("include", "include has at most %d properties, this one %d", MaxInclude, len(given.Items()))
		return nil
	}
	var paths []Path
	seen := make(map[string]bool)
	for i, item := range given.Items() {
		p, err := ParsePath(item.Text())
		switch {
		case err != nil:
			d.fault(indexPath("include", i), "%s is no property; %s", shown(item), pathHint)
		case seen[p.String()]:
			d.fault(indexPath("include", i), "%s is included twice", p)
		default:
			paths = append(paths, p)
			seen[p.String()] = true
		}
	}
	return paths
}
