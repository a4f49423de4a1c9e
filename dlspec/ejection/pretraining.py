"""`pretrain`: one layer after the other, from the lowest up, in a loop that one can see."""

from __future__ import annotations

from dlspec.ejection.boltzmann import write_boltzmann
from dlspec.ejection.layers import check_known
from dlspec.ejection.python import NotWritten, call, literal, source
from dlspec.ejection.reconstruction import write_autoencoder
from dlspec.ejection.script import Script
from dlspec.ejection.stages import held_out_while_pretraining, layer_of, mirrors
from dlspec.ejection.subject import Subject
from dlspec.ejection.supervision import write_supervised
from dlspec.model.weights import LayerWeights
from dlspec.pretraining.autoencoder import Reconstructing
from dlspec.pretraining.base import PretrainingMethod
from dlspec.pretraining.rbm import RBM
from dlspec.pretraining.supervised import Supervised
from dlspec.spec.other_run import find_layers_files

WRITERS = {Reconstructing: write_autoencoder, RBM: write_boltzmann, Supervised: write_supervised}
"""Sort of method -> what writes it."""


def write_pretraining(script: Script, subject: Subject) -> None:
    stages = subject.plan.pretraining
    lines = _taken(script, subject) if subject.plan.taken else []
    for stage in stages:
        assert isinstance(stage.method, PretrainingMethod), "a pretraining stage has a method"
        check_known(stage.method)
    if stages:
        writers = [write for kind, write in WRITERS.items() if isinstance(stages[0].method, kind)]
        if not writers:
            raise NotWritten("a pretraining method of a plugin")
        lines += writers[0](script, subject, stages)
    if not lines:
        return
    if subject.graph.unrolled:
        lines += _rest_of_decoder(subject)
    line = subject.line("pretrain")
    about = f"Pretrains layer by layer, from the lowest up{f' ({line} of the spec)' if line else ''}."
    arguments = ", ".join(["network", "x", *pretraining_needs(subject)])
    script.define("pretrain", "\n".join([f"def pretrain({arguments}):", f'    """{about}"""', *lines]))


def pretraining_needs(subject: Subject) -> list[str]:
    """What `pretrain` takes besides the network and its inputs: `y`, `held_out`."""
    labels = any(stage.method is not None and stage.method.needs_labels for stage in subject.plan.pretraining)
    return [*(["y"] if labels else []), *held_out_while_pretraining(subject)]


def _taken(script: Script, subject: Subject) -> list[str]:
    """Layers that begin with the weights that they have in another run, which stand beside the script."""
    ((_, file),) = find_layers_files(subject.spec)
    weights = LayerWeights.load(file)
    lines = []
    for name in subject.plan.taken:
        kept = [script.keep_array(f"{name}_{i}", value) for i, value in enumerate(weights.layers[name])]
        lines.append("    " + source(call(f"network.get_layer({literal(name)}).set_weights", kept), 4))
    return lines


def _rest_of_decoder(subject: Subject) -> list[str]:
    """Layers that no stage has pretrained: their mirrors begin with the transposed weights."""
    done = {layer_of(stage).name for stage in subject.plan.pretraining}
    lines = []
    for layer in subject.graph.hidden:
        own = mirrors(subject, layer)
        if layer.name in done or not own or not hasattr(layer.layer, "kernel_initializer"):
            continue
        kernel = f"network.get_layer({literal(layer.name)}).kernel"
        is_dense = layer.layer.type_name == "dense"
        turned = f"ops.transpose({kernel})" if is_dense else kernel
        lines.append(f"    network.get_layer({literal(own[0])}).kernel.assign({turned})")
    return lines
