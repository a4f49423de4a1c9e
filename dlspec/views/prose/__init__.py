"""A spec in plain sentences, line by line, in one of `LANGUAGES`.

A language is a module with templates: `KEYS` for the keys of a spec, by their path; `KINDS` for layers, losses and
whatever else has a name (English takes their docstrings); and the words around them. What a language has no words for
is told in English.
"""

from dlspec.views.prose.telling import LANGUAGES, tell, write_prose

__all__ = ["LANGUAGES", "tell", "write_prose"]
