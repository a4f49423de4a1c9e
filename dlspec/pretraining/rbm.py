"""A layer learns the distribution of its input as the hidden units of a restricted Boltzmann machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeNumber, PositiveInt
from dlspec.model.layers.activations import Activating, Activation, ReLU
from dlspec.model.layers.core import Dense
from dlspec.pretraining.base import PRETRAINING, PretrainingMethod, Refusal
from dlspec.training.optimizers import AnyOptimizer
from dlspec.training.optimizers.momentum import SGD, AnyMomentum
from dlspec.training.plan import StagePlace, StageTask

HIDDEN = ("sigmoid", "linear", "relu")
"""Activations that a layer of hidden units may have."""


@PRETRAINING.register
class RBM(PretrainingMethod):
    """A dense layer as the hidden units of a restricted Boltzmann machine, trained by contrastive divergence (Hinton,
    2002; Hinton et al., 2006).

    Visible units v and hidden units h have the energy E(v, h) = -c v - b h - v W h, which decides how likely they are
    together. A step raises the probability of the data v0 and lowers that of what `gibbs_steps` of Gibbs sampling make
    of them, vk: dW = v0 h(v0) - vk h(vk) (CD-k). With `persistent` the chains go on from batch to batch (PCD; Tieleman,
    2008). A layer with the activation `sigmoid` has binary hidden units, `linear` makes Gaussian ones of variance 1, as
    for the code of a deep autoencoder (Hinton and Salakhutdinov, 2006), and `relu` noisy rectified ones (Nair and
    Hinton, 2010). Gaussian visible units have variance 1: `scale: standard`.

    The `loss` in the history is the squared reconstruction error of a sample, through sampled hidden units; on held-out
    samples (`val_loss`) through their means, and so it is lower. `free_energy_gap` says by how much the
    free energy of held-out samples is higher than that of those trained on, and `pseudo_likelihood` is of binary
    visible units.
    """

    passes = 2.5
    examples: ClassVar = [
        {"method": "rbm", "epochs": 5},
        {"method": "rbm", "visible": "gaussian", "gibbs_steps": 5, "persistent": True, "optimizer": {"sgd": 0.001}},
        {"method": "rbm", "momentum": {"start": 0.5, "end": 0.9}, "weight_decay": 2e-4},
    ]

    optimizer: AnyOptimizer = SGD(learning_rate=0.1)
    visible: Literal["bernoulli", "gaussian"] | None = Field(
        None,
        description="units of the layer that sees the data, `bernoulli`, or `gaussian` of variance 1; by default, and "
        "in the layers above, as fits what they see",
    )
    gibbs_steps: PositiveInt = Field(1, description="steps of Gibbs sampling, from the data on: the k of CD-k")
    persistent: Flag = Field(False, description="whether the chains go on from batch to batch: PCD")
    momentum: AnyMomentum | None = Field(
        None, description="of `sgd`: how much of the last step is taken again, or how that rises"
    )
    weight_decay: NonNegativeNumber = Field(0.0, description="share of each weight, times the rate, that a step takes")

    def refuses(self, place: StagePlace) -> Refusal | None:
        layer = place.layer
        if not isinstance(layer, Dense):
            return Refusal(f"an RBM is made of dense layers, and `{layer.type_name}` is none")
        if place.input_shape is not None and len(place.input_shape) != 2:
            return Refusal("the visible units of an RBM are one row of numbers; put `flatten` above the layer")
        if layer.lora_rank is not None:
            return Refusal("an RBM needs the weights themselves, not `lora_rank`")
        hidden = self.hidden(place)
        if hidden not in HIDDEN:
            return Refusal(
                f"the hidden units of an RBM are `sigmoid`, `linear` or `relu`, and these are `{hidden}`",
                help="write `activation: sigmoid`",
            )
        if self.momentum is not None and not isinstance(self.optimizer, SGD):
            return Refusal(f"`momentum` is of `sgd`, and the optimizer is `{self.optimizer.type_name}`", "momentum")
        if self.momentum is not None and isinstance(self.optimizer, SGD) and self.optimizer.momentum:
            return Refusal("`sgd` has a `momentum` of its own here", "momentum", "keep one of the two")
        if self.visible_of(place) == "bernoulli" and not place.inside:
            return Refusal(
                "Bernoulli units hold probabilities, and the input of the layer does not lie in [0, 1]",
                "visible",
                "write `scale: min_max` under `data`, or `visible: gaussian`" if place.at_input else None,
            )
        return None

    def hidden(self, place: StagePlace) -> str:
        """The activation of the hidden units, whether it stands in the layer or behind it."""
        layer, *others = place.code
        assert isinstance(layer, Dense), "others were refused"
        if not others:
            return layer.activation
        if len(others) > 1 or layer.activation != "linear" or not isinstance(others[0], Activating):
            return others[-1].type_name
        if isinstance(others[0], Activation):
            return others[0].activation
        return "relu" if others[0] == ReLU(name=others[0].name) else others[0].type_name

    def visible_of(self, place: StagePlace) -> str:
        """The visible units of a stage."""
        if self.visible is not None and place.at_input:
            return self.visible
        return "bernoulli" if place.inside else "gaussian"

    def warnings(self, place: StagePlace) -> Iterator[tuple[str, str, str]]:
        gaussian = self.visible_of(place) == "gaussian"
        rate = self.optimizer.learning_rate
        if isinstance(self.optimizer, SGD) and rate > 0.02 and (gaussian or self.hidden(place) != "sigmoid"):
            units = f"{'Gaussian visible' if gaussian else self.hidden(place) + ' hidden'} units"
            yield (
                "optimizer",
                f"a rate of {rate:g} is too much for {units}, which have no largest value: they grow without bound",
                "write `optimizer: {sgd: 0.001}`",
            )
        elif isinstance(self.optimizer, SGD) and self.persistent and rate > 0.02:
            yield (
                "optimizer",
                f"a rate of {rate:g} is too much for `persistent` chains, which must keep up with the weights",
                "write `optimizer: {sgd: 0.01}`",
            )

    def build(self, encoder: list[Any], place: StagePlace, task: StageTask) -> Any:
        from dlspec.pretraining._boltzmann import BoltzmannMachine

        model = BoltzmannMachine(
            encoder,
            hidden=self.hidden(place),
            visible=self.visible_of(place),
            gibbs_steps=self.gibbs_steps,
            particles=self.batch_size if self.persistent else 0,
            weight_decay=self.weight_decay,
        )
        model.build(place.known_shape)
        optimizer = self.optimizer
        if self.momentum is not None:
            optimizer = optimizer.model_copy(update={"momentum": self.momentum})
        model.compile(optimizer=optimizer.over(task.steps))
        return model
