// Package config loads the worker's configuration: one YAML file, environment variables over it, secrets from files of
// their own. It imports nothing of the project and touches nothing but the files it is told to read.
//
// It guarantees:
//   - strictness: an unknown key or variable, a key given twice, or a value of the wrong type is a fault, never ignored;
//   - completeness: all faults are reported at once, each with the line and column, or the variable, that it came from;
//   - a Config that Load returned is valid: every value is set and in range, paths are resolved, secrets are read;
//   - secrecy: a Secret or a DSN prints as "[redacted]" wherever it is printed, and no fault quotes one.
//
// The way of a value:
//
//	Default() ──> muster.yaml ──> MUSTER_* variables ──> *_file secrets ──> derived defaults ──> validation ──> *Config
//	     every stage goes on after a fault; what a stage sets, the later ones override                    └──> Faults
//
// The keys are the fields of Config and of its sections, found by reflection from their yaml tags: a new field is a new
// key, a new MUSTER_ variable and, from its comment, a new row of REFERENCE.md (go test ./config -update).
package config
