"""What leads from the code of a layer back to what the layer takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.ejection.frame import returning
from dlspec.ejection.layers import connected, layer_call, may_be_called
from dlspec.ejection.python import Call, Code, call, literal, statement
from dlspec.ejection.script import Script
from dlspec.ejection.stages import layer_of
from dlspec.model.layers import LayerSpec
from dlspec.model.layers.core import Dense
from dlspec.model.layers.mirroring import LastOutput
from dlspec.model.layers.recurrent import Recurrent
from dlspec.model.layers.reshaping import RepeatVector
from dlspec.pretraining.autoencoder import Reconstructing, Tying, mirror_of
from dlspec.training.plan import Stage

SHORT = 80
"""Characters of a decoder that stands in the line where it is used."""


@dataclass
class Decoders:
    """Writes the decoders of stages; those that are alike are one function.

    Args:
        layer: source of the Keras layer that a stage pretrains.
        encoders: names of the layers of all encoders.
    """

    script: Script
    layer: Code
    encoders: Sequence[str]
    takes_layer: bool = False
    """Whether the functions of decoders take the layer, too, whose weights they use."""

    def expression(self, stage: Stage) -> Code | None:
        """A decoder of a single layer, of `code` and of what the layer takes, `x`; None: it is more than that."""
        parts = mirror_of(_place(stage))
        if len(parts) != 1:
            return None
        found = literal(self._applied(stage, parts, 0, "code", "x.shape"))
        return Code(found) if len(found) <= SHORT else None

    def functions(self, stages: Sequence[Stage]) -> list[Code]:
        """The decoder of each stage as a function of the code, and of the shape of what the layer takes."""
        bodies = {layer_of(stage).name: "\n".join(f"    {line}" for line in self._body(stage)) for stage in stages}
        alike, named = len({*bodies.values()}) == 1, dict[str, Code]()
        own = str(self.layer).partition("[")[0]
        self.takes_layer = any(re.search(rf"\b{own}\b", body) for body in bodies.values())
        parameters = ", ".join(["code", "shape", *([own] if self.takes_layer else [])])
        for layer, body in bodies.items():
            if body in named:
                continue
            name = self.script.new_name("decode" if alike else f"decode_{layer}")
            about = '    """Decodes a code into what its layer took, which has this shape."""'
            self.script.define("pretrain", f"def {name}({parameters}):\n{about}\n{body}")
            named[body] = Code(name)
        return [named[body] for body in bodies.values()]

    def _body(self, stage: Stage) -> list[str]:
        parts, lines = mirror_of(_place(stage)), list[str]()
        if isinstance(layer_of(stage).layer, Recurrent):  # one decoder for layers that return sequences, and others
            parts = [part for part in parts if not isinstance(part, LastOutput)]
            lines.append("z = code[:, -1] if len(code.shape) == 3 else code  # the last state")
        for i in range(len(parts)):
            lines.append(statement("z", self._applied(stage, parts, i, "z" if lines else "code", "shape"), 4))
        return returning(lines, Code("z")) if lines else ["return code"]

    def _applied(self, stage: Stage, parts: Sequence[LayerSpec], place: int, x: str, shape: str) -> Any:
        method, part = stage.method, parts[place]
        tied = isinstance(method, Tying) and method.tied_weights and part.has_weights
        own = "decoder" if len(parts) == 1 else f"decoder_{place + 1}"
        name = own if may_be_called(part, self.encoders) else None
        made = self._transposed(stage, part) if tied else layer_call(part, name, _sizes(stage, part, shape))
        return connected(part, made, [Code(x)])

    def _transposed(self, stage: Stage, part: LayerSpec) -> Call:
        """A layer with the weights of the encoder's."""
        if isinstance(layer_of(stage).layer, Dense):
            return call(self.script.use("autoencoders", "TransposedDense", "pretrain"), self.layer)
        like = part.build("like").get_config()
        keys = ("strides", "padding", "data_format", "dilation_rate", "output_padding")
        settings = {key: like[key] for key in keys if like[key] is not None}
        return call(self.script.use("autoencoders", "TransposedConvolution", "pretrain"), self.layer, **settings)


def method_of(stage: Stage) -> Reconstructing:
    """Of a stage that is an autoencoder."""
    assert isinstance(stage.method, Reconstructing), "its stages have this method"
    return stage.method


def _place(stage: Stage) -> Any:
    assert stage.place is not None, "a pretraining stage has a place"
    return stage.place


def _sizes(stage: Stage, part: LayerSpec, shape: str) -> dict[str, Code]:
    """Sizes that are those of what the layer takes, or of its code, so that stages may have one decoder."""
    place = _place(stage)
    if isinstance(part, Dense) and part.units == place.known_shape[-1]:
        return {"units": Code(f"{shape}[-1]")}
    if isinstance(part, RepeatVector) and part.n == place.known_shape[1]:
        return {"n": Code(f"{shape}[1]")}
    if isinstance(part, Recurrent) and getattr(part, "units", None) == place.code_shape[-1]:
        return {"units": Code("code.shape[-1]")}
    return {}
