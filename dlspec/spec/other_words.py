"""Words of Keras, PyTorch, scikit-learn, Ludwig and of people, where they stand, and what to write here instead.

A word that only is another name of ours is in `language.words`; here are those that take more than another name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from dlspec.data.datasets import DATASETS
from dlspec.data.features import FEATURES
from dlspec.language.notations import SIZES_OF_INPUT
from dlspec.language.words import bare, same
from dlspec.language.yaml import read_text, to_inline_yaml
from dlspec.language.yaml.scalars import resolve_scalar
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.layers import LAYERS
from dlspec.spec.meanings import meaning_of
from dlspec.training.optimizers import OPTIMIZERS

_OUT = "leave `{key}` out"
_USUAL_LOSS = "leave `loss` out: it is what the target needs"
_SIZE = "it takes the size of its input by itself; leave `{key}` out"
_REST = "the rest is trained on: write `validation` and `test` alone"
_WINDOW = "write `window: {{length: {value}}}`"
_FOLDS = "write `split: {{folds: {value}}}` under `data`"
_TEST = "write `split: {{test: {value}}}` under `data`"
_VALIDATION = "write `split: {{validation: {value}}}` under `data`"
_SEED = "write `seed: {value}` at the top level"
_BY_TARGET = "the target decides; leave `{key}` out, or write `target: {{COLUMN: category}}` for classes under `data`"
_USUAL_BASELINES = "leave `baselines` out: the usual ones are `persistence`, `mean` or `majority`, and `linear`"

KEYS: Mapping[str, Mapping[str, str]] = {
    "": {
        "dataset table series csv file path": "write `data: {{{our}: {value}}}`",
        "learning_rate lr": "write `optimizer: {{adam: {value}}}` under `train`",
        "test_size test_split": _TEST,
        "validation_split val_split": _VALIDATION,
        "folds cv k_folds": _FOLDS,
        "device gpu cuda": "write `runtime: {{device: gpu}}`",
        "compile fit": "write its keys under `train`",
        "input_features": "write `features` under `data`: names of columns, or `{{NAME: numeric, OTHER: category}}`",
        "output_features": "write `target: NAME` under `data`",
    },
    "data": {
        "k_folds n_folds folds cv cross_validation n_splits kfold": "write `split: {{folds: {value}}}`",
        "test_size test_split test": "write `split: {{test: {value}}}`",
        "validation_split val_split validation_size val_size validation val": "write `split: {{validation: {value}}}`",
        "train train_size train_split": _REST,
        "normalize normalise normalization standardize scaling scaler": "write `scale: standard`, or `scale: min_max`",
        "shuffle": "rows are drawn at random; `split: {{by: order}}` keeps their order",
        "file path filename file_name data_path source": "write `table: {value}`, or `series`, where rows follow each "
        "other in time",
        "name": "write `dataset: {value}`",
        "lookback look_back sequence_length seq_len timesteps lags history": _WINDOW,
        "horizon forecast_horizon steps_ahead": "write `window: {{length: 30, horizon: {value}}}`",
        "sep separator": "write `delimiter: {value}`",
        "date date_column time_column index_col": "write `time: {value}`",
        "batch_size": "write `batch_size: {value}` under `train`",
        "epochs": "write `epochs: {value}` under `train`",
        "seed random_state": _SEED,
        "y": "write `target: {value}`",
        "x inputs columns": "write `features: {value}`",
        "na_values": "write `na: {value}`",
        "fillna impute imputation": "write `missing: median`",
        "task problem_type": _BY_TARGET,
        "augmentation augment": "write layers such as `- random_flip: horizontal` at the top of `model`",
        "drop drop_columns exclude ignore_columns": "`features` lists the columns that are seen; leave others out",
        "parse_dates": "dates are found by what they look like; leave it out, or write `features: {{COLUMN: time}}`",
        "frequency freq": "the step follows from the times; leave it out",
    },
    "data.split": {
        "train training train_size": _REST,
        "shuffle random": "write `by: random`, or `by: order` for rows as they stand",
        "stratify stratified": "write `by: stratified`",
        "seed random_state": _SEED,
    },
    "train": {
        "weight_decay": "write `optimizer: {{adamw: {{weight_decay: {value}}}}}`",
        "momentum": "write `optimizer: {{sgd: {{momentum: {value}}}}}`",
        "patience": "write `early_stopping: {{patience: {value}}}`",
        "monitor": "write `early_stopping: {{monitor: {value}}}`",
        "l2 l1 regularization": "write `kernel_regularizer: {{l2: 0.01}}` in a layer",
        "dropout": "write `- dropout: {value}` between the layers of `model`",
        "shuffle": "samples are shuffled in each epoch; leave `shuffle` out",
        "verbose": "the command line shows how far it is; leave `verbose` out",
        "workers num_workers n_jobs": "all cores are used; leave `{key}` out",
        "metrics": "write `evaluate: {{metrics: {value}}}` at the top level",
        "device gpu cuda": "write `runtime: {{device: gpu}}` at the top level",
        "validation_split val_split validation_size validation": _VALIDATION,
        "test_size test_split test": _TEST,
        "folds cv k_folds": _FOLDS,
        "clip clipnorm clip_norm grad_clip max_grad_norm": "write `gradient_clipping: {{norm: {value}}}`",
        "clipvalue clip_value": "write `gradient_clipping: {{value: {value}}}`",
        "seed random_state": _SEED,
        "amp fp16 mixed_precision precision": "write `runtime: {{precision: mixed_float16}}` at the top level",
        "save_best checkpoint": "`early_stopping` goes back to the best weights; leave `{key}` out",
        "steps max_steps": "write `epochs`, how often all samples are seen",
        "task problem_type": _BY_TARGET,
        "augmentation augment": "write layers such as `- random_flip: horizontal` at the top of `model`",
        "warmup_ratio warmup_steps warmup": "write `schedule: {{cosine_decay: {{warmup_target: 0.001, warmup_steps: "
        "100}}}}`",
        "sample_weight sample_weights": "write `class_weight: balanced`, where classes are of unequal size",
    },
    "runtime": {
        "gpu cuda gpus use_gpu": "write `device: gpu`",
        "amp fp16 mixed_precision": "write `precision: mixed_float16`",
        "jit compile": "write `xla: on`",
        "seed": _SEED,
        "backend framework": "set the environment variable `KERAS_BACKEND`; leave `{key}` out",
        "workers num_workers n_jobs threads": "all cores are used; leave `{key}` out",
    },
    "evaluate": {
        "baseline": "write `baselines: [{value}]`",
        "seeds": "write `compare: {{without_pretraining: {{seeds: {value}}}}}`",
        "folds cv k_folds cross_validation kfold": _FOLDS,
        "test test_size test_split": _TEST,
        "confusion_matrix": "the report shows it; leave it out",
    },
    "pretrain": {
        "noise noise_factor noise_level": "write `corruption: {{masking: {value}}}`",
        "learning_rate lr": "write `optimizer: {{adam: {value}}}`",
        "freeze freeze_pretrained": "write `then: freeze`",
        "sparsity sparse": "write `method: sparse_autoencoder` and `sparsity_target: {value}`",
    },
    "optimizer": {
        "momentum": "Adam has none: leave it out, or write `sgd: {{momentum: {value}}}`",
        "decay lr_decay": "write `schedule: cosine_decay` beside `optimizer`",
        "betas": "write `beta_1` and `beta_2`",
    },
    "layer": {
        " ".join(SIZES_OF_INPUT): _SIZE,
        "dropout": "write `- dropout: {value}` below it",
        "batch_norm batchnorm use_bn use_batch_norm bn": "write `- batch_normalization` below it",
        "l2 weight_decay": "write `kernel_regularizer: {{l2: {value}}}`",
        "l1": "write `kernel_regularizer: {{l1: {value}}}`",
        "bidirectional": "write `bidirectional: {{lstm: …}}` around it",
        "num_layers n_layers": "write `repeat: {{times: {value}, layers: […]}}` around it",
        "return_state": "leave it out, or write `return_sequences: true` for every timestep",
        "batch_first": "the batch comes first; leave it out",
    },
}
"""Where a key stands -> keys of others, one of several in a word -> the cure."""

VALUES: Mapping[str, Mapping[str, str]] = {
    "runtime.device": {"0 1 mps": "write `device: gpu`"},
    "runtime.precision": {
        "fp16 float16 half mixed 16": "write `precision: mixed_float16`",
        "bf16 bfloat16": "write `precision: mixed_bfloat16`",
        "fp32 32 full single": "write `precision: float32`",
    },
    "runtime.xla": {"true yes": "write `xla: on`", "false no": "write `xla: off`"},
    "data.missing": {
        "mode most_frequent": "write `missing: median` for numbers; a word that is missing is a category of its own",
        "ffill bfill forward_fill backward_fill previous interpolate": "write `missing: median`, or `missing: drop`",
        "zero zeros fill constant 0": "write `missing: 0`",
        "dropna remove skip ignore": "write `missing: drop`",
        "average": "write `missing: mean`",
        "true yes auto impute fillna": "write `missing: median`",
        "none false no raise": "write `missing: error`",
    },
    "data.scale": {
        "z_score zscore standardize standardscaler standard_scaler normal normalize true std mean_std z": "write "
        "`scale: standard`",
        "minmaxscaler min_max_scaler 01 unit 255 1/255 rescale": "write `scale: min_max`",
        "robustscaler robust_scaler quantile iqr": "write `scale: robust`",
        "false no off null": "write `scale: none`",
    },
    "data.limit": {"all none": "leave `limit` out"},
    "data.split.by": {"kfold cv k_fold cross_validation folds": "write `split: {{folds: 5}}`"},
    "train.early_stopping.monitor": {
        "val_accuracy val_acc accuracy acc val_auc val_f1 val_mae val_rmse": "write `monitor: val_loss`"
    },
    "runtime.distribute": {
        "ddp dp mirrored multi_gpu data_parallel dataparallel true all": "write `distribute: {{strategy: mirrored}}`"
    },
    "data.target": {"-1 last 0 1": "name the column: `target: NAME`"},
    "data.split": {
        "random shuffle shuffled": "write `split: {{by: random}}`",
        "stratified stratify balanced": "write `split: {{by: stratified}}`",
        "order ordered sequential chronological time": "write `split: {{by: order}}`",
    },
    "train.loss": {
        "crossentropy cross_entropy_loss crossentropyloss nll nll_loss nllloss ce bce bceloss bce_loss bcewithlogits "
        "bcewithlogitsloss log_loss logloss softmax logistic auto default none xent softmax_cross_entropy accuracy "
        "sigmoid_cross_entropy cross_entropy": _USUAL_LOSS,
        "focal focal_loss": "leave `loss` out, and write `class_weight: balanced` where classes are of unequal size",
        "l1loss l1 l1_loss": "write `loss: mae`",
        "l2 l2loss l2_loss mseloss mse_loss squared_error rmse": "write `loss: mse`",
        "smoothl1 smooth_l1 smoothl1loss huberloss": "write `loss: huber`",
    },
    "train.early_stopping": {
        "false no off none": "leave `early_stopping` out",
        "true yes on": "write `early_stopping: {{patience: 5}}`",
    },
    "train.class_weight": {"auto true yes balance inverse": "write `class_weight: balanced`"},
    "train.schedule": {
        "plateau reduce_on_plateau reducelronplateau": "write `callbacks: [reduce_lr_on_plateau]`",
        "constant none fixed false off": "leave `schedule` out",
        "warmup onecycle one_cycle linear_warmup": "write `schedule: cosine_decay`",
        "step steplr multistep multisteplr": "write `schedule: {{exponential_decay: {{decay_rate: 0.9}}}}`",
        "exponential exponentiallr": "write `schedule: {{exponential_decay: {{decay_rate: 0.9}}}}`",
    },
    "train.optimizer": {
        "lbfgs auto default": "write `optimizer: adam`",
        "momentum nesterov": "write `optimizer: {{sgd: {{momentum: 0.9}}}}`",
    },
    "train.batch_size": {"full all auto": "write a number, such as `batch_size: 32`"},
    "train.epochs": {
        "auto none inf infinite": "write a number, such as `epochs: 100`, and `early_stopping: {{patience: 5}}`"
    },
    "seed": {"random none null": "write a number, such as `seed: 42`"},
    "pretrain.layers": {"all auto": "leave `layers` out: every layer that can be is pretrained"},
    "evaluate.metrics": {
        "all auto default none": "leave `metrics` out: those that fit the target are computed",
        "cm confusion confusion_matrix": "the report shows it; leave it out",
        "top5 top_5 top3 top_3": "write `top_k_accuracy`",
        "loss": "write `log_loss`",
    },
    "evaluate.baselines": {
        "dummy naive zero_rule true yes auto all": _USUAL_BASELINES,
        "none no off false null": "write `baselines: []`",
        "random_forest xgboost lightgbm knn svm tree decision_tree": f"this version has none; {_USUAL_BASELINES}",
    },
    "layer.activation": {"none null off false": "leave `activation` out: without one it is `linear`"},
    "layer.padding": {"zeros zero 1 2 3 reflect full": "write `padding: same`, which adds zeros at the edges"},
    "layer": {
        "bilstm": "write `bidirectional: {{lstm: {value}}}`",
        "bigru": "write `bidirectional: {{gru: {value}}}`",
        "birnn": "write `bidirectional: {{simple_rnn: {value}}}`",
        "input inputs input_layer": "the input follows from the data; leave it out",
        "sequential model": "`model` is a list of layers already; leave it out",
        "rnn": "write `simple_rnn: {value}`",
        "optimizer loss epochs": "it belongs under `train`",
    },
}
"""Where a value stands, or the name of a layer -> values of others -> the cure."""

MERGING = frozenset({"concatenate", "add", "average", "maximum", "minimum", "multiply", "subtract", "dot"})
"""Layers behind whose name people write those that they merge."""
ALL_COLUMNS = frozenset({"all", "*", "auto", "any", "everything", "rest", "numeric", "none", "default"})
"""What people write for all columns."""


_NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class _Wrong:
    """A mistake: its code, path and value, and what stands beside it."""

    kind: str
    path: tuple[str | int, ...]
    value: Any
    siblings: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        return [part for part in self.path if isinstance(part, str)]


def cure(kind: str, path: Sequence[str | int], value: Any, values: Mapping[str, Any]) -> str | None:
    """What to write for a word of another tool; None: it is none that is known.

    Args:
        kind: the code of the mistake.
        path: of what is wrong.
        value: what stands there.
        values: of the whole spec.
    """
    above = held_by(values, path)
    wrong = _Wrong(kind, (*path,), value, above if isinstance(above, dict) else {})
    if not wrong.names:
        return None
    if kind == "unknown-key":
        return _of_key(wrong)
    found = next(filter(None, (rule(wrong) for rule in _RULES)), None)
    return found or _of_value(wrong)


def held_by(values: Any, path: Sequence[str | int]) -> Any:
    """What holds the value at a path; None: there is no such value."""
    for part in path[:-1]:
        if isinstance(values, list) and isinstance(part, str):
            continue  # a key that was left out in front of its list
        known = part in values if isinstance(values, dict) else isinstance(values, list) and part in range(len(values))
        values = values[part] if known else None
    return values


def taken_over(kind: str, path: Sequence[str | int], value: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The keys beside it that a cure for an unknown key writes: `{split: {folds: 5}}` for `k_folds: 5`."""
    said = cure(kind, path, value, values) if kind == "unknown-key" else None
    found = re.fullmatch(r"write `(\w+): ([^`]*)`(, or .*)?", said or "")
    if not found or "…" in found[2]:
        return {}
    written = read_text(f"{found[1]}: {found[2]}").root.plain()
    return written if isinstance(written, dict) else {}


def _of_key(wrong: _Wrong) -> str | None:
    *above, key = wrong.names
    place = ".".join(above)
    if above[:1] == ["model"]:
        place = "layer"
        if bare(key) == "keepprob" and isinstance(wrong.value, float):
            return f"write `rate: {round(1 - wrong.value, 6)}`, which is dropped"
        kind = next((name for name in reversed(above) if name in _RECURRENT), None)
        if kind and bare(key) in ("bidirectional", "numlayers", "nlayers"):
            return _recurrent(kind, bare(key), {name: one for name, one in wrong.siblings.items() if name != key})
        if wrong.value is None and same(key, ACTIVATIONS):
            return f"write `activation: {same(key, ACTIVATIONS)}`"
    elif "optimizer" in above:
        place = "optimizer"
    elif place == "data.split" and bare(key) in ("train", "training", "trainsize"):
        return _split_beside(wrong.value, wrong.siblings)
    elif place == "data" and (dataset := _dataset_with(key, wrong)) is not None:
        return dataset
    elif place == "data" and wrong.value is None and _listed_bare(wrong.siblings):
        return _listed_bare(wrong.siblings)
    elif place in ("train", "pretrain") and same(key, ("learning_rate",)):
        usual = "sgd" if wrong.siblings.get("method") == "rbm" else "adam"
        return _with_learning_rate(wrong.siblings.get("optimizer", usual), wrong.value)
    our = same(key, ("dataset", "table", "series")) or "table"
    return _found(KEYS.get(place, _NONE), key, key, wrong.value, our)


_RECURRENT = ("lstm", "gru", "simple_rnn")
_KEPT = ("activation", "dropout", "recurrent_dropout", "return_sequences", "name")


def _recurrent(name: str, key: str, arguments: Mapping[str, Any]) -> str:
    """Two directions, or several layers, of a recurrent layer with these arguments."""
    arguments = {
        same(word, ("units",)) or word: one
        for word, one in arguments.items()
        if word in _KEPT or same(word, ("units",))
    }
    short: Any = arguments["units"] if [*arguments] == ["units"] else dict(arguments)
    if key == "bidirectional":
        return f"write `bidirectional: {{{to_inline_yaml({name: short})}}}`"
    every = to_inline_yaml({name: {**arguments, "return_sequences": True}})
    return f"write a layer for each, `- {every}` above `- {to_inline_yaml({name: short})}`"


def _dataset_with(key: str, wrong: _Wrong) -> str | None:
    """`{dataset: spirals, samples: 500}`, where the key is one of the dataset."""
    name = wrong.siblings.get("dataset")
    known = DATASETS.get(name)
    if known is None or key not in known.keys():  # noqa: SIM118
        return None
    return f"write `dataset: {{{to_inline_yaml({name: {key: wrong.value}})}}}`"


def _listed_bare(siblings: Mapping[str, Any]) -> str | None:
    """`{features: a, b, target: c}`: what stands behind a key, and the keys with nothing behind them that follow."""
    for key in ("features", "target", "na", "header"):
        first = siblings.get(key)
        rest = [*siblings][[*siblings].index(key) + 1 :] if isinstance(first, str) else []
        more = [*takewhile(lambda name: siblings[name] is None, rest)]
        if more:
            return f"write `{key}: {to_inline_yaml([first, *more])}`"
    return None


def _of_value(wrong: _Wrong) -> str | None:
    value, names = wrong.value, wrong.names
    word = "null" if value is None else str(value)
    if names[0] == "model":
        if wrong.kind == "unknown-layer":
            return _of_layer(wrong, word)
        if wrong.kind == "wrong-type" and "rnn" in names[-2:]:
            return _found(VALUES["layer"], "rnn", "rnn", value)
        return _found(VALUES.get(f"layer.{names[-1]}", _NONE), word, word, value)
    if isinstance(value, dict) and wrong.kind.startswith("unknown-") and isinstance(wrong.path[-1], str):
        word, names = wrong.path[-1], names[:-1]  # a name with arguments
        return _found(VALUES.get(".".join(names), _NONE), word, names[-1], "…") if names else None
    if isinstance(value, dict | list):
        return None
    for place in (".".join(names), ".".join(names[:-1])):
        found = _found(VALUES.get(place, _NONE), word, names[-1], value)
        if found:
            return found
    return None


def _of_layer(wrong: _Wrong, word: str) -> str | None:
    """What to write for the name of a layer that is another tool's, or for an idea that has no word of its own."""
    given = wrong.path[-1]
    name, behind = word, None
    if isinstance(given, str):
        name, behind = given, wrong.value.get(given) if isinstance(wrong.value, dict) else wrong.value
    found = _found(VALUES["layer"], name, name, behind if isinstance(behind, int) else "…")
    if found is None and not same(name, LAYERS) and meaning_of(name):
        return f"`dlspec layers {name}` shows how to write it"
    return found


def _lists(wrong: _Wrong) -> str | None:
    """`split: [0.7, 0.15, 0.15]`, `70/15/15`, `20%`, `0.2`; `scale: [0, 1]`."""
    if wrong.names == ["data", "scale"] and isinstance(wrong.value, list) and len(wrong.value) == 2:
        return "write `scale: min_max`, which brings values to [0, 1]"
    if wrong.names != ["data", "split"] or isinstance(wrong.value, dict | bool):
        return None
    given = wrong.value if isinstance(wrong.value, list) else re.split(r"[/,:\s]+", str(wrong.value).strip())
    parts = [resolve_scalar(str(part).rstrip("%") or "~") for part in given]
    numbers = [float(part) for part in parts if isinstance(part, int | float) and 0 < part <= 100]
    if not parts or len(numbers) < len(parts):
        return None
    shares = [share / 100 if share > 1 else share for share in numbers]
    if len(shares) == 1:
        return f"write `split: {{test: {shares[0]:g}}}`"
    if not 0.98 < sum(shares) < 1.02 or len(shares) > 3:
        return None
    names = ("validation", "test")[-len(shares) + 1 :]
    written = ", ".join(f"{name}: {share:g}" for name, share in zip(names, shares[1:], strict=True))
    return f"the rest is trained on: write `split: {{{written}}}`"


def _split_beside(share: Any, siblings: Mapping[str, Any]) -> str:
    """What to write for `train: 0.7`, which is what the others leave."""
    if {"validation", "test"} & {*siblings} or not isinstance(share, float) or not 0 < share < 1:
        return f"{_REST}; leave `train` out"
    half = f"{(1 - share) / 2:.4g}"
    return f"{_REST}: `{{validation: {half}, test: {half}}}`"


def _with_learning_rate(optimizer: Any, rate: Any) -> str:
    """The optimizer that is written, with the learning rate that stands beside it."""
    name, arguments = optimizer, None
    if isinstance(optimizer, dict) and len(optimizer) == 1:
        ((name, arguments),) = optimizer.items()
    name = same(str(name), OPTIMIZERS) or "adam"
    if isinstance(arguments, dict):
        shown = {name: {**arguments, "learning_rate": rate}}
    else:
        shown = {name: rate}
    return f"write `optimizer: {{{to_inline_yaml(shown)}}}`"


def _one_for_each(wrong: _Wrong) -> str | None:
    """`dense: [64, 32]`; `add: [a, b]`."""
    sizes = wrong.value
    whole = isinstance(sizes, list) and len(sizes) > 1 and all(type(size) is int for size in sizes)
    merged = isinstance(sizes, list) and sizes and all(isinstance(name, str) for name in sizes)
    merging = next((name for name in reversed(wrong.names) if name in MERGING), None)
    if wrong.kind == "wrong-type" and merged and merging:
        return f"write `{merging}: {{from: {to_inline_yaml(sizes)}}}`"
    if wrong.names[0] != "model" or wrong.kind != "wrong-type" or not whole:
        return None
    name = wrong.names[-2] if wrong.names[-1] in ("units", "filters") and len(wrong.names) > 2 else wrong.names[-1]
    return "write one layer in each entry: " + " and ".join(f"`- {name}: {size}`" for size in sizes)


def _numbered_layer(wrong: _Wrong) -> str | None:
    """`from: 1`, `layers: [1, 2]`."""
    if wrong.kind != "wrong-type" or type(wrong.value) is not int or not {"from", "layers"} & {*wrong.names[-2:]}:
        return None
    if wrong.names[0] == "model" and "from" in wrong.names[-2:]:
        return "layers go by their names, such as `from: dense_1`; without `from` a layer takes the one above it"
    return "layers go by their names, such as `layers: [dense_1]`" if wrong.names[0] == "pretrain" else None


def _short_forms(wrong: _Wrong) -> str | None:
    """A value where its key is missing: `early_stopping: val_loss`, `runtime: gpu`, `evaluate: accuracy`."""
    names, value = wrong.names, wrong.value
    if wrong.kind != "wrong-type":
        return None
    if names == ["train", "gradient_clipping"] and isinstance(value, int | float) and not isinstance(value, bool):
        return f"write `gradient_clipping: {{norm: {value}}}`"
    if names == ["train", "early_stopping"] and isinstance(value, str) and "_" in value:
        return f"write `early_stopping: {{monitor: {value}}}`"
    if names == ["evaluate"] and isinstance(value, str | list):
        return f"write `evaluate: {{metrics: {to_inline_yaml(value if isinstance(value, list) else [value])}}}`"
    if names == ["evaluate", "compare"] and isinstance(value, str):
        return "write `compare: {without_pretraining: {seeds: 3}}`"
    if names == ["data", "window", "horizon"] and isinstance(value, list) and value:
        return f"write `horizon: {value[0]}` and `steps: {len(value)}`"
    if names[0] == "model" and names[-1] == "output" and isinstance(value, str):
        return "write `- output`: it takes what the target needs"
    if names == ["runtime"] and isinstance(value, str) and same(value, ("auto", "cpu", "gpu")):
        return f"write `runtime: {{device: {same(value, ('auto', 'cpu', 'gpu'))}}}`"
    return None


def _names(wrong: _Wrong) -> str | None:
    """A name with blanks; a column in place of what of it is predicted."""
    if wrong.kind == "wrong-value" and wrong.names[-1] == "name" and isinstance(wrong.value, str):
        plain = re.sub(r"\W+", "_", wrong.value).strip("_")
        return f"write `name: {plain}`" if plain else None
    if wrong.kind == "unknown-value" and wrong.names == ["data", "predict"] and isinstance(wrong.value, str):
        ours = same(wrong.value, ("level", "difference", "return"))
        return None if ours else f"the column is named by `target: {wrong.value}`; leave `predict` out for its level"
    return None


def _columns_with_types(wrong: _Wrong) -> str | None:
    """`features: [{name: area, type: number}]`."""
    if wrong.names != ["data", "features"] or not isinstance(wrong.value, list):
        return None
    pairs = {}
    for each in wrong.value:
        name = each.get("name") if isinstance(each, dict) else None
        kind = same(str(each.get("type")), FEATURES) if name else None
        if kind is None:
            return None
        pairs[str(name)] = kind
    return f"write `features: {{{to_inline_yaml(pairs)}}}`"


_RULES: tuple[Callable[[_Wrong], str | None], ...] = (
    _lists,
    _one_for_each,
    _numbered_layer,
    _short_forms,
    _names,
    _columns_with_types,
)


def _found(table: Mapping[str, str], word: str, key: str, value: Any, our: str = "") -> str | None:
    text = _by_word(table).get(bare(word))
    if text is None:
        return None
    shown = "…" if isinstance(value, dict) or value == "…" else to_inline_yaml(value)
    return text.format(key=key, value=shown, our=our)


_FOLDED: dict[int, dict[str, str]] = {}


def _by_word(table: Mapping[str, str]) -> dict[str, str]:
    """Word without signs -> cure, of one of the tables above."""
    if id(table) not in _FOLDED:
        _FOLDED[id(table)] = {bare(word): text for words, text in table.items() for word in words.split()}
    return _FOLDED[id(table)]
