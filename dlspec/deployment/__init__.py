"""Trained networks for others to run, one file for each format."""

from dlspec.deployment.base import EXPORT_TARGETS, ExportTarget, choose_target

__all__ = ["EXPORT_TARGETS", "ExportTarget", "choose_target"]
