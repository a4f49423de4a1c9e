"""Built-in datasets, one file each; they know nothing about models."""

from dlspec.data.datasets.base import DATASETS, AnyDataset, Column, ColumnKind, Columns, Dataset, Description, Loaded

__all__ = ["DATASETS", "AnyDataset", "Column", "ColumnKind", "Columns", "Dataset", "Description", "Loaded"]
