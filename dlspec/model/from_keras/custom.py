"""Layers of `keras.applications` that are no layers of `keras.layers`, in words that say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.model.from_keras.words import NoWord
from dlspec.model.initializers import Constant
from dlspec.model.layers import LayerSpec
from dlspec.model.layers.einsum import EinsumDense
from dlspec.model.layers.regularization import Dropout

CONVNEXT = "keras.src.applications.convnext"
INCEPTION_RESNET = "keras.src.applications.inception_resnet_v2"


def known_custom(entry: Mapping[str, Any]) -> LayerSpec | None:
    """The layer that computes what a class of `keras.applications` does, with the same weights; None: it is none."""
    if entry.get("module") != CONVNEXT:
        return None
    config = entry["config"]
    trainable = bool(config.get("trainable", True))
    if entry["class_name"] == "LayerScale":  # x times a weight for each channel
        start = Constant(value=config["init_values"])
        return EinsumDense(
            equation="...c,c->...c",
            output_shape=[config["projection_dim"]],
            kernel_initializer=start,
            trainable=trainable,
        )
    if entry["class_name"] == "StochasticDepth":  # drops whole samples, images of four axes
        return Dropout(rate=config["drop_path_rate"], noise_shape=[None, 1, 1, 1], trainable=trainable)
    raise NoWord(f"no word for the layer `{entry['module']}.{entry['class_name']}`")


def scale_of_sum(entry: Mapping[str, Any]) -> float | None:
    """What `x + scale * y` multiplies by, which is a `rescaling` and an `add` here; None: it is another layer."""
    if entry.get("module") == INCEPTION_RESNET and entry["class_name"] == "CustomScaleLayer":
        return float(entry["config"]["scale"])
    return None
