"""How a spec is written: YAML with places, diagnostics and their codes, typed keys, registries, plugins."""
