"""The version, apart from everything else so that packaging reads it without importing dlspec."""

__version__ = "0.1.0"
