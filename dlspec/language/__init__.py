"""How a spec is written: YAML with places, diagnostics, typed keys and registries."""
