"""How good predictions are, a file for each family of formulas."""

from dlspec.evaluation.metrics.base import JUDGED, METRICS, AnyMetric, Metric, judged_by, show_apart, show_number

__all__ = ["JUDGED", "METRICS", "AnyMetric", "Metric", "judged_by", "show_apart", "show_number"]
