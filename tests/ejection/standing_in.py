"""What other parts of a script give, out of what dlspec prepared, so that `evaluate` can be tried alone."""

import numpy as np

from dlspec.ejection.evaluation import write_evaluation
from dlspec.evaluation.scores import Scorer
from tests.ejection.scripts import loaded, script_of

TARGETS = '''
def network_targets(x, y):
    """What the network is trained to put out."""
    return np.array([])
'''


def write_targets(script, subject):
    """A function that a test puts another one in the place of."""
    script.define("preprocessing", TARGETS)


class Given:
    """A model whose predictions are known.

    Args:
        pairs: an input, and what it gives.
        otherwise: what it gives of any other input.
    """

    def __init__(self, pairs, otherwise=None):
        self.pairs, self.otherwise = pairs, otherwise

    def predict(self, x, verbose="auto"):
        return (
            next((values for known, values in self.pairs if known is x), None) if self.known(x) else self.otherwise(x)
        )

    def known(self, x):
        return any(known is x for known, _ in self.pairs)


def inputs_of(subject, part):
    """`x` of a part."""
    if not subject.is_typed:
        return np.asarray(part.raw)
    steps = subject.data.preprocessing
    names = zip(steps.input_names, steps.columns, strict=True)
    return {given: subject.data.columns[column.name][part.rows][:, None] for given, column in names}


class Evaluated:
    """A script that has `evaluate` alone, and what it was called with.

    Args:
        outputs: of the network on the test part, as it puts them out itself.
    """

    def __init__(self, subject, folder, outputs):
        data, self.subject = subject.data, subject
        self.script = script_of(subject, write_targets, write_evaluation)
        self.module = module = loaded(self.script, folder)
        train, test = (inputs_of(subject, part) for part in (data.train, data.test))
        seen = [(train, np.asarray(data.train.inputs)), (test, np.asarray(data.test.inputs))]
        module.outputs_of = lambda model, x: model.predict(x)
        module.network_targets = lambda x, y: np.asarray(data.train.targets)
        self.guesses, score = [], module.score

        def listen(truth, guess):
            self.guesses.append(guess)
            return score(truth, guess)

        module.score = listen
        gives_back = subject.target.kind == "input"
        truths = (None if gives_back else np.asarray(part.truth) for part in (data.train, data.test))
        pairs = zip((train, test), truths, strict=True)
        model = Given([(test, saved_outputs(data, outputs))])
        self.scores = module.evaluate(model, Given(seen, data.preprocessing.network_inputs), *pairs)
        self.on_scale = data.to_units(outputs, data.test)

    def expected(self, guess):
        return Scorer(self.subject.spec.evaluate.metrics, self.subject.data, self.subject.data.test).scores(guess)


def saved_outputs(data, outputs):
    """What the saved model gives of the test part, where the network puts these out."""
    kind, steps = data.signature.target.kind, data.preprocessing
    if kind in ("class", "labels") or (kind == "input" and steps.columns):
        return outputs
    if kind == "input":
        return steps.inputs.back(outputs.reshape(-1, *data.test.inputs.shape[1:]).astype("float64"))
    values = data.to_units(outputs, data.test)
    return values if values.ndim > 1 else values[:, None]


def some_outputs(data, seed=0):
    """Of a network that knows a little: (samples, units) float32."""
    random, target = np.random.default_rng(seed), data.signature.target
    if target.kind == "class":
        shares = random.normal(size=(len(data.test), len(target.classes)))
        shares = np.exp(shares + 1.5 * np.eye(len(target.classes))[data.test.truth])
        shares /= shares.sum(axis=1, keepdims=True)
        return shares[:, 1:].astype("float32") if target.units == 1 else shares.astype("float32")
    if target.kind == "labels":
        return (0.6 * data.test.truth + 0.4 * random.uniform(size=data.test.truth.shape)).astype("float32")
    targets = np.asarray(data.test.targets)
    return (targets + 0.3 * random.normal(size=targets.shape)).astype("float32")
