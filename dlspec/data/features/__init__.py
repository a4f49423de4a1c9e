"""How columns of a table are shown to a network: one file per type."""

from dlspec.data.features.base import FEATURES, AnyFeature, Feature, Fitted, Missing, infer
from dlspec.data.features.scaling import Affine, Scale, fit_affine, fit_one_scale

__all__ = [
    "FEATURES", "Affine", "AnyFeature", "Feature", "Fitted", "Missing", "Scale", "fit_affine",
    "fit_one_scale", "infer",
]  # fmt: skip
