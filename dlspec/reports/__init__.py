"""Run folder -> one HTML page that opens offline. Reads the folder only; neither data nor Keras are loaded."""

from dlspec.reports.page import render

__all__ = ["render"]
