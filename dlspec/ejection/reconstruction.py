"""Pretraining as autoencoders: encoder, decoder, what spoils the input, and what the code pays for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.ejection.decoders import Decoders, method_of
from dlspec.ejection.layers import check_known
from dlspec.ejection.python import Call, Code, call, literal, source, statement
from dlspec.ejection.script import Script
from dlspec.ejection.stages import (
    Column,
    Optimizers,
    columns,
    held_out_while_pretraining,
    layer_of,
    loop_line,
    mirrors,
    optimizers,
    sizes,
    steps_line,
)
from dlspec.ejection.subject import Subject
from dlspec.ejection.training import stopping_call
from dlspec.model.layers.core import Dense
from dlspec.model.layers.recurrent import Recurrent
from dlspec.pretraining.autoencoder import Reconstructing
from dlspec.pretraining.contractive_autoencoder import ContractiveAutoencoder, acts_alone
from dlspec.pretraining.denoising_autoencoder import DenoisingAutoencoder, Gaussian, Masking
from dlspec.pretraining.sparse_autoencoder import SparseAutoencoder
from dlspec.training.plan import Stage

USUAL_ENDS = {"squared_error": "linear", "mse": "linear", "cross_entropy": "sigmoid", "binary_crossentropy": "sigmoid"}
"""Reconstruction error -> the activation that the decoder ends in for it."""
ABOUT = {
    "autoencoder": (
        "Trains {} to give back what it takes (Bengio et al., 2007).",
        "Code h = s(W x + b), reconstruction z = s'(W' h + c); the error is between z and x.",
    ),
    "denoising_autoencoder": (
        "Trains {} to clean up spoiled input (Vincent et al., 2008).",
        "Code h = s(W x' + b) of the spoiled x', reconstruction z = s'(W' h + c); the error is between z and x.",
    ),
    "sparse_autoencoder": (
        "Trains {} to give back what it takes through a code of few active units (Ng, 2011).",
        "Code h = s(W x + b), reconstruction z = s'(W' h + c); the error is between z and x, and h pays for activity.",
    ),
    "contractive_autoencoder": (
        "Trains {} to give back what it takes through a code that hardly moves (Rifai et al., 2011).",
        "Code h = s(W x + b), reconstruction z = s'(W' h + c); the error is between z and x, and h pays for dh/dx.",
    ),
}
"""Method -> what its function does, and its equation."""
OF_SEQUENCES = (
    "The last state is repeated for every timestep, and a layer of its kind writes the sequence back, last timestep\n"
    "    first (Srivastava et al., 2015); the error is between the two sequences."
)
IN_LOOP = " " * 8


def write_autoencoder(script: Script, subject: Subject, stages: Sequence[Stage]) -> list[str]:
    """Writes what trains a layer as an autoencoder; returns the statements of `pretrain`."""
    input_of_layer = script.use("autoencoders", "input_of_layer", "pretrain")
    alone = all(len(stage.encoder) == 1 for stage in stages)
    found = _settings(script, stages, alone)
    optimizer = optimizers(script, stages, lambda stage: method_of(stage).optimizer)
    found |= {**optimizer.columns, **sizes(script, subject, stages)}
    held_out = held_out_while_pretraining(subject)
    train = _define(script, subject, stages, found, optimizer, alone)
    passed = {key: column for key, column in found.items() if column.varies}
    back = [mirrors(subject, layer_of(stage)) for stage in stages]
    plain = all(own == [f"{layer_of(stage).name}_mirror"] for own, stage in zip(back, stages, strict=True))
    looped = passed if plain or not subject.graph.unrolled else {**passed, "mirrored": Column("mirrored", tuple(back))}
    names = [stage.encoder[0] if alone else list(stage.encoder) for stage in stages]
    lines = [loop_line("name" if alone else "names", names, looped)]
    layer = Code("network.get_layer(name)" if alone else "[network.get_layer(name) for name in names]")
    first = Code("name" if alone else "names[0]")
    seen = [call(input_of_layer, Code("network"), first, Code(x)) for x in ("x", *held_out)]
    made = call(train, layer, *seen, *(Code(key) for key in passed))
    if not subject.graph.unrolled:
        return [*lines, IN_LOOP + source(made, 8)]
    lines.append(IN_LOOP + statement("back", made, 8))
    if plain:
        return [*lines, f'{IN_LOOP}network.get_layer(f"{{{first}}}_mirror").set_weights(back[0])']
    mirrored = literal(Column("mirrored", tuple(back)).shown)
    return [
        *lines,
        f"{IN_LOOP}for mirror, weights in zip({mirrored}, back):",
        f"{IN_LOOP}    network.get_layer(mirror).set_weights(weights)",
    ]


@dataclass(frozen=True)
class _Made(Column):
    """A setting that a function makes of what is only known where it is used.

    Args:
        given: what that takes.
    """

    given: str

    def __post_init__(self) -> None:
        made = tuple(Code(f"lambda {self.given}: {literal(value)}") for value in self.values)
        object.__setattr__(self, "values", made)

    @property
    def shown(self) -> Any:
        return Code(f"{self.name}({self.given})")


def _settings(script: Script, stages: Sequence[Stage], alone: bool) -> dict[str, Column]:
    """What the training of a layer is made of, as source."""
    found = columns(stages, lambda stage: _setting(script, stage, alone))
    if found["penalty"].varies:  # it is written where `code` is not known yet
        found["penalty"] = _Made("penalty", found["penalty"].values, f"code, inputs, {'layer' if alone else 'encoder'}")
    encoders = [name for stage in stages for name in stage.encoder]
    decoders = Decoders(script, Code("layer" if alone else "encoder[0]"), encoders)
    short = Column("decoder", tuple(decoders.expression(stage) for stage in stages))
    if None not in short.values and not short.varies:
        return {**found, "decoder": short}
    functions = Column("decode", tuple(decoders.functions(stages)))
    given = [Code("code"), Code("x.shape"), *([Code("layer" if alone else "encoder")] if decoders.takes_layer else [])]
    return {**found, "decode": functions, "decoder": Column("decoder", (call(str(functions.shown), *given),))}


def _setting(script: Script, stage: Stage, alone: bool) -> dict[str, Any]:
    method = method_of(stage)
    assert stage.place is not None, "a pretraining stage has a place"
    error = method.error(stage.place)
    end = method.decoder_activation or USUAL_ENDS[error]
    from_logits = end == "sigmoid" and error in ("cross_entropy", "binary_crossentropy")
    return {
        "spoil": _corruption(script, method),
        "penalty": _penalty(script, stage, method, alone),
        "end": None if from_logits or end == "linear" else end,
        "loss": _loss(script, error, from_logits),
        "stopping": None if method.early_stopping is None else stopping_call(method.early_stopping),
    }


def _loss(script: Script, error: str, from_logits: bool) -> Any:
    if error == "mse":
        return "mse"
    if error == "binary_crossentropy":
        return call("keras.losses.BinaryCrossentropy", **({"from_logits": True} if from_logits else {}))
    names = {"squared_error": "summed_squares", "cross_entropy": "cross_entropy"}
    name = names[error] if from_logits or error == "squared_error" else "cross_entropy_of_probabilities"
    return script.use("autoencoders", name, "pretrain")


def _corruption(script: Script, method: Reconstructing) -> Call | None:
    if not isinstance(method, DenoisingAutoencoder):
        return None
    spoils = method.corruption
    check_known(spoils)
    if isinstance(spoils, Gaussian):
        return call("layers.GaussianNoise", spoils.stddev)
    kind = "MaskingNoise" if isinstance(spoils, Masking) else "SaltAndPepperNoise"
    return call(script.use("autoencoders", kind, "pretrain"), getattr(spoils, "rate", None))


def _penalty(script: Script, stage: Stage, method: Reconstructing, alone: bool) -> Call | None:
    """The code after a layer that adds to the loss what it pays."""

    def use(name: str) -> Code:
        return script.use("autoencoders", name, "pretrain")

    if isinstance(method, SparseAutoencoder):
        if method.penalty == "l1":
            return _on(call(use("SmallCode"), method.sparsity_weight), Code("code"))
        return _on(call(use("SparseCode"), method.sparsity_weight, method.sparsity_target or 0.05), Code("code"))
    if not isinstance(method, ContractiveAutoencoder):
        return None
    layer = layer_of(stage).layer
    if alone and isinstance(layer, Dense) and layer.activation in ("sigmoid", "tanh"):
        return _on(call(use("ContractiveCode"), Code("layer"), method.contraction), Code("code"))
    assert stage.place is not None, "a pretraining stage has a place"
    kind = "ContractiveUnits" if acts_alone(stage.place.code) else "EstimatedContraction"
    made = call(use(kind), Code("[layer]" if alone else "encoder"), method.contraction)
    return Call(made, (Code("code"), Code("inputs")))


def _define(
    script: Script,
    subject: Subject,
    stages: Sequence[Stage],
    found: Mapping[str, Column],
    optimizer: Optimizers,
    alone: bool,
) -> str:
    """The function that trains one layer; returns its name."""
    name, trained = script.new_name("pretrain_layer"), "layer" if alone else "encoder"
    held_out = held_out_while_pretraining(subject)
    varying = [key for key, column in found.items() if column.varies]
    shown = {key: column.shown for key, column in found.items()}
    first, equation = ABOUT[method_of(stages[0]).type_name]
    if any(isinstance(layer_of(stage).layer, Recurrent) for stage in stages):
        equation = OF_SEQUENCES
    about = first.format("a layer" if alone else "a layer, with what belongs to its code,")
    lines = _autoencoder(shown, alone)
    if optimizer.knows_steps:
        lines.append(steps_line("x", found, ""))
    lines.append(source(call("autoencoder.compile", optimizer.made, shown["loss"]), 4))
    keywords: dict[str, Any] = {"batch_size": shown["batch_size"], "epochs": shown["epochs"]}
    if held_out:
        keywords |= {"validation_data": Code("(held_out, held_out)"), "callbacks": [shown["stopping"]]}
    shown_name = Code('f"Pretraining {layer.name}"' if alone else 'f"Pretraining {encoder[0].name}"')
    lines.append(source(call("print", shown_name), 4))
    lines.append(source(call("autoencoder.fit", Code("x"), Code("x"), **keywords, verbose=2), 4))
    if subject.graph.unrolled:
        own = "each is not layer" if alone else "each not in encoder"
        lines.append(f"decoder = [each for each in autoencoder.layers if each.weights and {own}]")
        lines.append("return [each.get_weights() for each in decoder]")
    text = [f"def {name}({', '.join([trained, 'x', *held_out, *varying])}):"]
    text += [f'    """{about}', "", f"    {equation}", '    """', *(f"    {line}" for line in lines)]
    script.define("pretrain", "\n".join(text))
    return name


def _autoencoder(shown: Mapping[str, Any], alone: bool) -> list[str]:
    """From `inputs` to `autoencoder`."""
    lines, given = ["inputs = keras.Input(x.shape[1:])"], Code("inputs")
    spoilt = given if shown["spoil"] is None else _on(shown["spoil"], given)
    if alone:
        lines.append(statement("code", _on(Code("layer"), spoilt), 4))
    else:
        lines += [statement("code", spoilt, 4), "for layer in encoder:", "    code = layer(code)"]
    if shown["penalty"] is not None:
        lines.append(statement("code", shown["penalty"], 4))
    decoded = shown["decoder"]
    if shown["end"] is not None:
        decoded = call(f'layers.Activation({literal(shown["end"])}, name="reconstruction")', decoded)
    lines.append(statement("autoencoder", call("keras.Model", Code("inputs"), decoded), 4))
    return lines


def _on(made: Call | Code, x: Any) -> Call:
    return Call(made if isinstance(made, Call) else str(made), (x,))
