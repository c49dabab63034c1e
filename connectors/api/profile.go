package api

import (
	"net/http"
	"net/http/pprof"
)

// profiles mounts the profiler for admin keys.
func (a *API) profiles() {
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/{profile}": pprof.Index, "/debug/pprof/cmdline": pprof.Cmdline,
		"/debug/pprof/profile": pprof.Profile, "/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
	} {
		a.mount(endpoint{method: http.MethodGet, path: path, role: RoleAdmin}, handler)
	}
}
