// Package command is the command line of muster: one file a command, each a thin layer over what it calls. It owns
// flags, help texts, exit codes and what is printed; results go to stdout, everything else to stderr.
package command
