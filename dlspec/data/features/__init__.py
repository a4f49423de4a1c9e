"""How columns of a table are shown to a network: one file per type."""

from dlspec.data.features.base import FEATURES, AnyFeature, Feature, Fitted, Missing, infer
from dlspec.data.features.scaling import Affine, Scale, ScaledBy, fit_affine, fit_scale_of_samples, of_parameters

__all__ = [
    "FEATURES", "Affine", "AnyFeature", "Feature", "Fitted", "Missing", "Scale", "ScaledBy",
    "fit_affine", "fit_scale_of_samples", "infer", "of_parameters",
]  # fmt: skip
