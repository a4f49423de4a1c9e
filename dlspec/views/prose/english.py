"""English."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlspec.language.registry import Kind

NO_LINE = "Left out, so by default:"

GIVEN_BACK = "What the network puts out shall be what it sees."

FITTED = {
    "class_means": "Probabilities of the class means, the nearest one being the likeliest. Its weights are computed "
    "after training, from the mean code of each class in the training part.",
    "distance": "The probability of a pair by its distance. Its weights are computed after training, by a logistic "
    "regression on the distances of the validation part.",
}
"""What `output` is where its weights are not trained."""

IN_FILES = {
    "data.split.validation": "What stands in {value} is kept out of training to watch it.",
    "data.split.test": "What stands in {value} is kept for the test at the end, and nothing is fitted to it.",
}

KEYS = {
    "dlspec": "The spec is written in version {value} of the language.",
    "name": "The run is called {value}, and its folder is `runs/{raw}/001` or the next free number.",
    "description": "What it is about: {raw}",
    "seed": "Whatever is drawn at random is drawn by the seed {value}, so that the next run gives the same.",
    "data.dataset": "The data are the built-in set {value}: {what}",
    "data.table": "The data stand in {value}, a sample in each row.",
    "data.series": "The data stand in {value}, a timestep in each row.",
    "data.images": "The data are pictures: {value}.",
    "data.pictures": "Of the pictures, `{name}` is {value}.",
    "data.pictures.masks": "What each pixel shows is said by a picture of the same name in {value}.",
    "data.pictures.classes": "The values of these masks are called {value}.",
    "data.pictures.ignore": "Pixels whose value is {value} do not count.",
    "data.text": "The data are texts in {value}.",
    "data.audio": "The data are sounds: {value}.",
    "data.arrays": "The data are arrays in {value}.",
    "data.encoding": "Its text is encoded as {value}.",
    "data.delimiter": "Between the values of a row stands {value}.",
    "data.decimal": "Before fractions stands {value}.",
    "data.thousands": "Between thousands stands {value}.",
    "data.header": "The file has no line of names; its columns are: {value}.",
    "data.na": "These words stand for a missing value: {value}.",
    "data.time": "The time stands in the column {value}.",
    "data.formatted_time": "The time stands in the column {value}, written as {format}.",
    "data.group": "Several series are told apart by the column {value}, and no sample crosses from one into another.",
    "data.weight": "The column {value} says how much a sample counts, in the loss, metrics, baselines and verdict.",
    "data.target": "What is predicted is the column {value}.",
    "data.targets": "What is predicted are the columns {value}.",
    "data.sequence": "What is predicted is {value}, a text that is written {items} by {items}, each after those before "
    "it, which the network sees by its input `{fed}`.",
    "data.read": "What is predicted is {value}, a text that is read {items} by {items} off what the network sees. At "
    "each timestep it says one of them, or the blank; nobody tells it where each stands.",
    "data.read.beam": "A text is read by a prefix beam search, which keeps the {beam} likeliest beginnings.",
    "data.read.best_path": "A text is read by what is likeliest at each timestep.",
    "data.next_token": "What is predicted is what comes next in {value}, after each token of it.",
    "data.tagged_words": "What is predicted is a tag in {value} for each word.",
    "data.typed_target": "What is predicted is {value}, taken for {kind}.",
    "data.features": "The network sees {value}.",
    "data.feature": "`{name}` is taken as {value}.",
    "data.window.length": "A sample is {value} timesteps in a row.",
    "data.window.steps": "Predicted are {value} timestep(s) in a row.",
    "data.window.now": "What is predicted is what the target is at the last timestep that the network sees.",
    "data.window.target": "Something is predicted at every timestep of a window, and not at the last one alone.",
    "data.window.horizon": "What is predicted lies {value} timestep(s) behind the last one that the network sees.",
    "data.window.stride": "A training sample begins every {value} timestep(s).",
    "data.window.gap": "No sample crosses a gap in time; a gap is a step of so many times the usual one: {value}.",
    "data.predict": {
        "level": "The network puts out the value itself.",
        "difference": "The network puts out by how much the value changes.",
        "return": "The network puts out by which share the value changes.",
    },
    "data.scale": {
        "standard": "Numbers are scaled to mean 0 and standard deviation 1, as measured in the training part.",
        "min_max": "Numbers are scaled to lie between 0 and 1, as measured in the training part.",
        "robust": "Numbers are scaled to median 0 and quartiles 1 apart, as measured in the training part.",
        "none": "Numbers are taken as they are.",
    },
    "data.scale_by": {"channel": "Each channel has a scale of its own."},
    "data.sheet": "The data stand in the sheet {value}.",
    "data.missing": "Where a value is missing: {value}.",
    "data.duplicates": "Of rows with the same time, this is taken: {value}.",
    "data.resample": "The series is brought to even steps: {value}.",
    "data.window.every": "The network sees one of {value} timesteps, back from the last one.",
    "data.split.validation": "{percent} of the data are kept out of training to watch it.",
    "data.split.test": "{percent} of the data are kept for the test at the end, and nothing is fitted to them.",
    "data.split.by": {
        "time": "The parts follow each other in time.",
        "random": "The parts are drawn at random.",
        "stratified": "The parts are drawn at random, each with the same shares of the classes.",
        "order": "The parts follow each other in the order of the rows.",
    },
    "data.split.group": "Rows with the same {value} stay in one part.",
    "data.split.column": "The column {value} says which part each row belongs to.",
    "data.split.folds": "The network is trained {value} times, each time tested on another part of the data.",
    "data.split.walk_forward.folds": "The network is trained {value} times, each time tested on a later part.",
    "data.unlabeled.dataset": "Pretraining also sees the samples of the built-in set {value}: {what}",
    "data.unlabeled.table": "Pretraining also sees the samples in {value}.",
    "data.unlabeled.series": "Pretraining also sees the series in {value}.",
    "data.unlabeled.images": "Pretraining also sees the pictures {value}.",
    "data.unlabeled.text": "Pretraining also sees the texts in {value}.",
    "data.unlabeled.audio": "Pretraining also sees the sounds {value}.",
    "data.unlabeled.arrays": "Pretraining also sees the arrays in {value}.",
    "data.labels": "Only {value} of the labels are used; the other samples count as unlabeled.",
    "data.limit": "No more than {value} training samples are used.",
    "data.cache": {
        "auto": "Samples stay in memory unless they are too many.",
        "memory": "All samples stay in memory.",
        "none": "Samples are read whenever they are needed, and memory stays free.",
    },
    "variables": "`${name}` stands for {value} wherever it is written.",
    "blocks": "The block `{name}`: its layers are told here, and laid where the model names it.",
    "model.input": "The input `{name}` takes {value}.",
    "model.output": "The output `{name}` predicts {value}.",
    "model.output.loss": "The loss of `{name}` is `{loss}`, which counts {weight} times in the sum of all outputs.",
    "model.output.class_weight": "Classes of `{name}` weigh `{value}` in its loss.",
    "model.output.quantiles": "Each number is given by its quantiles {value}: these shares are to lie below them.",
    "model.output.mixture": "Each number is given by a mixture of {value} normal distributions: weights, means and "
    "deviations.",
    "model.repeat": "Laid {times} times, one on the other, each time with weights of its own: {layers}.",
    "model.skip": "What goes in is added to what comes out of {layers}.",
    "model.branches": "{count} lists of layers see the same input, and {merge} brings them together: {layers}.",
    "pretrain.method": "The layers are pretrained one after the other, from the lowest up. {value}: {what}",
    "pretrain.entry": "Pretraining {number}: layers are pretrained one after the other, from the lowest up. {value}: "
    "{what}",
    "pretrain.network.method": "All layers below the output are pretrained together. {value}: {what}",
    "pretrain.network.entry": "Pretraining {number}: all layers below the output together. {value}: {what}",
    "pretrain.share": "Hidden is {raw:.0%} of each sample.",
    "pretrain.patch": "Patches have sides of {value}; of a sequence, stretches are {value} timesteps long.",
    "pretrain.layers": "Pretrained are {value}.",
    "pretrain.epochs": "Each layer is pretrained for {value} epochs.",
    "pretrain.batch_size": "Pretraining takes {value} samples at a time.",
    "pretrain.optimizer": "In pretraining, weights follow {value}: {what}",
    "pretrain.then": {
        "fine_tune": "After that, the whole network is trained.",
        "freeze": "After that, the pretrained layers stay as they are, and the rest is trained.",
        "unroll": "After that, the layers and their mirrors are trained as one network that gives back its input.",
    },
    "pretrain.thaw_after": "After {value} epochs of training, frozen layers learn, too.",
    "pretrain.from": "Layers start with the weights that layers of the same names have in the run {value}.",
    "pretrain.per_layer": "Single layers have settings of their own: {value}.",
    "pretrain.early_stopping.monitor": "A stage ends early by {value}.",
    "pretrain.early_stopping.patience": "A stage ends early after {value} epochs without anything better.",
    "pretrain.early_stopping.min_delta": "Better means better by more than {value}.",
    "pretrain.early_stopping.restore_best_weights": {
        True: "In the end of a stage, the best weights are taken.",
        False: "In the end of a stage, the last weights are taken, also where earlier ones were better.",
    },
    "pretrain.early_stopping.start_from_epoch": "A stage does not end before epoch {value}.",
    "pretrain.loss": "How far a reconstruction is off is measured by {value}.",
    "pretrain.decoder_activation": "The decoder ends in {value}.",
    "pretrain.penalty": {
        "kl": "The code pays where the mean activation of a unit is not what it shall be.",
        "l1": "The code pays for the size of its activations.",
    },
    "pretrain.sparsity_target": "A unit shall have a mean activation of {value}.",
    "pretrain.sparsity_weight": "What the code pays counts {value} times.",
    "pretrain.contraction": "How strongly the code follows its input counts {value} times.",
    "pretrain.visible": {
        "bernoulli": "What the data hold is taken for the probability of a unit to be on.",
        "gaussian": "What the data hold is taken for numbers that vary by a normal law.",
    },
    "pretrain.gibbs_steps": "Contrastive divergence takes {value} step(s) of Gibbs sampling.",
    "pretrain.persistent": {
        True: "The chains of Gibbs sampling go on from batch to batch.",
        False: "The chains of Gibbs sampling begin at the data each time.",
    },
    "pretrain.momentum": "Of each step of pretraining, so much is taken again: {value}.",
    "pretrain.weight_decay": "In pretraining, weights shrink by a share of {value} times the learning rate.",
    "pretrain.tied_weights": {
        True: "The decoder uses the weights of its layer, transposed.",
        False: "The decoder has weights of its own.",
    },
    "pretrain.corruption": "Before a layer sees its input in pretraining, it is spoilt by {value}: {what}",
    "train.loss": "Training makes {value} small: {what}",
    "train.optimizer": "Weights follow {value}: {what}",
    "train.schedule": "The learning rate changes by {value}: {what}",
    "train.gradient_clipping.norm": "The gradient of each weight matrix is shortened to length {value} at most.",
    "train.gradient_clipping.value": "Each entry of the gradient is cut off at {value}.",
    "train.gradient_clipping.global_norm": "All gradients together are shortened to length {value} at most.",
    "train.epochs": "Training goes through the data {value} times.",
    "train.batch_size": "Weights change after every {value} samples.",
    "train.thaw_after": "After epoch {value}, what is frozen of networks that others have trained learns, too.",
    "train.class_weight": "Classes weigh {value} in the loss.",
    "train.early_stopping.monitor": "Training ends early by {value}.",
    "train.early_stopping.patience": "Training ends early after {value} epochs without anything better.",
    "train.early_stopping.min_delta": "Better means better by more than {value}.",
    "train.early_stopping.mode": {
        "auto": "Whether less or more is better follows from what is watched.",
        "min": "Less is better.",
        "max": "More is better.",
    },
    "train.early_stopping.baseline": "Training ends early unless it gets beyond {value}.",
    "train.early_stopping.restore_best_weights": {
        True: "In the end, the best weights are taken.",
        False: "In the end, the last weights are taken, also where earlier ones were better.",
    },
    "train.early_stopping.start_from_epoch": "Training does not end before epoch {value}.",
    "train.callbacks": "Along with training run {value}.",
    "train.teacher.from": "The network learns from that of the run {value}, too, besides the truth.",
    "train.teacher.temperature": "Its logits and those of its teacher are divided by {value} before they are compared.",
    "train.teacher.share": "The teacher has {value} of the loss.",
    "train.checkpoint_every": "Every {value}, all that training needs to go on is saved.",
    "evaluate.metrics": "The result is measured by {value}.",
    "evaluate.baselines": "The result stands beside the simple guesses {value}.",
    "evaluate.require": "The result must reach this, else the run ends with an exit code of its own: {value}.",
    "evaluate.compare.without_pretraining.seeds": "With {value} seed(s), the same network is trained with and without "
    "pretraining.",
    "runtime.device": {
        "auto": "It runs on a GPU if there is one.",
        "cpu": "It runs on the CPU.",
        "gpu": "It runs on a GPU, and not without one.",
    },
    "runtime.deterministic": {
        True: "It gives the same result to the last bit, and takes longer.",
        False: "On a GPU, results may differ in the last digits.",
    },
    "runtime.xla": {
        "auto": "Training is compiled by XLA where that saves time.",
        "on": "Training is compiled by XLA.",
        "off": "Training is not compiled by XLA.",
    },
    "runtime.precision": {
        "float32": "Numbers have 32 bits.",
        "mixed_bfloat16": "Layers compute in 16 bits (bfloat16), and keep their weights in 32.",
        "mixed_float16": "Layers compute in 16 bits (float16), the loss being scaled, and keep their weights in 32.",
    },
    "runtime.distribute.strategy": {
        "mirrored": "Every device has a copy of the network and takes a part of each batch.",
    },
    "runtime.distribute.devices": "It runs on {value} device(s).",
    "runtime.track": "The run is logged to {value}.",
    "budget.parameters": "The network may have {value} parameters at most.",
    "budget.flops": "One sample may take {value} floating-point operations at most.",
    "budget.size": "The saved weights may take {value} at most.",
    "budget.memory": "Training may take {value} of memory at most.",
    "budget.latency": "One sample may take {value} at most, as an export measures it.",
}

OTHER_KEYS = "`{key}` is {value}."
"""Of a key that stands in a class of its own, such as a pretraining method, and not in `KEYS`."""
OTHER_GROUPS = "{what} Here: {layers}."
"""Of what combines layers and does not stand in `KEYS`."""


ITEMS = {"words": "word", "characters": "character", "items": "item"}
"""What a text is written in."""


def describe(kind: Kind) -> str:
    """What it is: the first sentence of its docstring, without the paper."""
    text = " ".join((type(kind).__doc__ or "").split("\n\n")[0].split())
    text = re.sub(r" \([^()]*\b(?:1[89]|20)\d\d[^()]*\)", "", text)
    text = text.partition(". ")[0]
    return text if text.endswith(".") else f"{text}."


def samples(count: int) -> str:
    """So many of them."""
    return f"{count:,} samples"


def listing(items: Sequence[str]) -> str:
    """`a`, `b` and `c`."""
    return " and ".join(([", ".join(items[:-1])] if len(items) > 1 else []) + list(items[-1:]))


def layer(
    *,
    name: str,
    type_name: str,
    what: str,
    settings: Sequence[str],
    sources: Sequence[str],
    state: str | None,
    before: Sequence[str],
    after: str,
    parameters: int,
    shares: str | None,
) -> str:
    """What a layer does, its settings, and the sizes of what goes in and comes out."""
    sentences = [f"`{name}`: {what}"]
    if shares:
        sentences.append(f"It is `{shares}` once more, with the same weights.")
    if sources:
        sentences.append(f"It takes {listing(sources)}.")
    if state:
        sentences.append(f"It begins with the last state of `{state}`.")
    if settings:
        sentences.append(f"With {listing(settings)}.")
    learnt = f" It has {parameters:,} parameters." if parameters else ""
    sizes = f"{after} stay {after}." if list(before) == [after] else f"{listing(before)} become {after}."
    return f"{' '.join(sentences)} {sizes}{learnt}"
