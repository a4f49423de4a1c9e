"""How good predictions are, a file for each family of formulas."""

from dlspec.metrics.base import METRICS, AnyMetric, Metric, show_number

__all__ = ["METRICS", "AnyMetric", "Metric", "show_number"]
