package config

import (
	"encoding"
	"reflect"
	"strings"
)

// setting is one key of the configuration and the field behind it. Sections are settings too: their value is a struct.
type setting struct {
	key   string // full, such as postgres.users.table
	value reflect.Value
	field reflect.StructField
}

var unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()

// section reports whether the setting holds other settings and no value of its own.
func (s setting) section() bool {
	return s.value.Kind() == reflect.Struct && !reflect.PointerTo(s.value.Type()).Implements(unmarshalerType)
}

// secret reports whether the value may also come from a file of its own, <key>_file.
func (s setting) secret() bool {
	return s.value.Type() == reflect.TypeFor[Secret]() || s.value.Type() == reflect.TypeFor[DSN]()
}

// path reports whether the value names a file or a folder.
func (s setting) path() bool { return s.field.Tag.Get("path") == "true" }

// variable is the name of the environment variable that overrides the key.
func (s setting) variable() string { return variableName(s.key) }

func variableName(key string) string {
	return "MUSTER_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// settingsOf returns the settings directly in a struct, in the order of its fields.
func settingsOf(section reflect.Value, key string) []setting {
	var found []setting
	for i := range section.NumField() {
		field := section.Type().Field(i)
		name := field.Tag.Get("yaml")
		if name == "" {
			continue
		}
		if key != "" {
			name = key + "." + name
		}
		found = append(found, setting{key: name, value: section.Field(i), field: field})
	}
	return found
}

// leaves returns all settings of c that hold values, in the order of the fields.
func leaves(c *Config) []setting {
	var found []setting
	var walk func(reflect.Value, string)
	walk = func(v reflect.Value, key string) {
		for _, s := range settingsOf(v, key) {
			if s.section() {
				walk(s.value, s.key)
			} else {
				found = append(found, s)
			}
		}
	}
	walk(reflect.ValueOf(c).Elem(), "")
	return found
}

// lastName is the key without its section.
func lastName(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
