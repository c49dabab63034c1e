package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// setText gives v the value that text means. Errors say what is wrong with the text and never quote a secret.
func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Interface().(type) {
	case string:
		v.SetString(text)
	case bool:
		return setBool(v, text)
	case int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number, or too large", text)
		}
		v.SetInt(int64(n))
	case time.Duration:
		d, err := parseDuration(text)
		if err != nil {
			return err
		}
		v.SetInt(int64(d))
	case []string:
		return setList(v, text)
	default:
		panic(fmt.Sprintf("config: no way to set a %s", v.Type()))
	}
	return nil
}

func setBool(v reflect.Value, text string) error {
	switch text {
	case "true", "1":
		v.SetBool(true)
	case "false", "0":
		v.SetBool(false)
	default:
		return fmt.Errorf("%q is neither true nor false", text)
	}
	return nil
}

// setList splits at commas, as lists are written in variables.
func setList(v reflect.Value, text string) error {
	items := strings.Split(text, ",")
	for i, item := range items {
		if items[i] = strings.TrimSpace(item); items[i] == "" {
			return errors.New("has an empty item; write a list as a,b,c")
		}
	}
	v.Set(reflect.ValueOf(items))
	return nil
}

// typeName says in words what a value of the type looks like.
func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[Size]():
		return "size"
	case reflect.TypeFor[[]string]():
		return "list of strings"
	case reflect.TypeFor[Secret]():
		return "secret string"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "whole number"
	case reflect.Slice:
		return "list of sections"
	case reflect.Struct:
		if !reflect.PointerTo(t).Implements(unmarshalerType) {
			return "section"
		}
	}
	return "string"
}

// expectation is typeName with an article or an example, to follow "must be".
func expectation(t reflect.Type) string {
	switch name := typeName(t); name {
	case "duration":
		return "a duration such as 10s"
	case "size":
		return "a size such as 512MB"
	case "list of strings":
		return "a list of strings, such as [a, b]"
	case "list of sections":
		return "a list of sections, each with keys of its own"
	case "section":
		return "a section with keys of its own"
	case "secret string":
		return "a string"
	case "true or false":
		return name
	default:
		return "a " + name
	}
}
