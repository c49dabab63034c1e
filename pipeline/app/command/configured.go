package command

import (
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"muster/config"
)

// configFlag adds -c, the configuration file.
func configFlag(c *cobra.Command, path *string) {
	c.Flags().StringVarP(path, "config", "c", "", "configuration file (YAML); every value can also come from MUSTER_<SECTION>_<KEY>")
	_ = c.MarkFlagFilename("config", "yaml", "yml")
}

// configured loads the configuration. Without a file the environment variables have to say everything.
func configured(path string) (*config.Config, error) { return config.Load(path, os.Environ()) }

// logger writes to w as the configuration says.
func logger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil { // validated when it was loaded
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	text := c.Format == "text" || c.Format == "auto" && isTerminal(w)
	if text {
		return slog.New(slog.NewTextHandler(w, o))
	}
	o.ReplaceAttr = inSeconds
	return slog.New(slog.NewJSONHandler(w, o))
}

// inSeconds says durations in seconds and names them so; a bare number of nanoseconds tells nobody what it is.
func inSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.Float64(a.Key+"_seconds", a.Value.Duration().Seconds())
	}
	return a
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
