"""How the steps of a stage are run: one at a time, many in one call, compiled, on several devices."""
