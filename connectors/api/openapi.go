package api

import (
	"github.com/danielgtaylor/huma/v2"
)

// bearer says that an operation wants a key.
var bearer = []map[string][]string{{"key": {}}}

// humaConfig is the frame of the OpenAPI document, to which every endpoint adds itself.
func humaConfig(version string) huma.Config {
	c := huma.DefaultConfig("Muster", version)
	c.CreateHooks = nil // no $schema in answers: their shape is published
	c.DocsPath, c.SchemasPath = "", ""
	c.AllowAdditionalPropertiesByDefault = true
	c.Info.Description = "Exact audience membership. See the README for what each part guarantees."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"key": {
		Type: "http", Scheme: "bearer", Description: "A key of http.api_keys. Without any, the API serves its own machine only and takes any token.",
	}}
	return c
}
