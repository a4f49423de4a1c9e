"""Training without a run folder, for tests that look at weights."""

from functools import cache

import numpy as np

import dlspec
from dlspec.data.preparation import prepare
from dlspec.data.source_of import source_of
from dlspec.model.build import build_network
from dlspec.model.graph_builder import make_graph
from dlspec.model.unfolding.giving import give_weights
from dlspec.runs.listener import Listener
from dlspec.spec.planning import make_plan
from dlspec.spec.signature import read_signature
from dlspec.training.progress import Checkpoint, Hooks, Stopped
from dlspec.training.trainer import Trainer
from dlspec.training.values import as_array, seed_everything


class StopAfter(Listener):
    """Presses Ctrl-C, as it were, after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step_ends(self, stage, epoch, step, loss):
        import signal

        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


class Training:
    """A spec made ready, and trained in one go or in pieces."""

    def __init__(self, text: str, change=None, **overrides) -> None:
        self.spec = dlspec.load(text, overrides=overrides)
        source = source_of(self.spec.data)
        signature, _ = read_signature(self.spec, source.describe())
        columns = source.load(self.spec.seed)
        if change:
            change(columns)
        self.data = prepare(self.spec.data, self.spec.seed, signature, columns)
        self.graph, _ = make_graph(self.spec.model, signature, self.spec.unrolled_at)
        self.plan = make_plan(self.spec, self.graph)
        self.saved: list[Checkpoint] = []

    def run(self, listener=None, checkpoint=None):
        seed_everything(self.spec.seed, "network")
        network = self.network = build_network(self.graph, one_input=True)
        if any(layer.borrowed for layer in self.graph.layers):
            give_weights(network, self.graph, self.spec.model)
        hooks = Hooks(listener or Listener(), self.saved.append)
        trainer = Trainer(self.spec.training, self.plan, self.data, network, hooks)
        try:
            history = trainer.run(checkpoint)
        except Stopped:
            return None, None
        return [as_array(weight) for weight in network.weights], history


@cache
def trained(text: str, **overrides) -> tuple[Training, list[np.ndarray], list]:
    """A training that ran to its end in one go, with its weights and history; made once in each process."""
    training = Training(text, **overrides)
    return training, *training.run()


def same(first, second) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
