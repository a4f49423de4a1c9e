"""Words of Keras, PyTorch, scikit-learn, Ludwig and of people, where they stand, and what to write here instead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.language.yaml import to_inline_yaml

_USUAL_LOSS = "leave `loss` out: it is what the target needs"
_SIZE = "it takes the size of its input by itself; leave `{key}` out"
_UNITS = "write `units: {value}`"
_REST = "the rest is trained on: write `validation` and `test` alone, such as `{{validation: 0.15, test: 0.15}}`"

KEYS: Mapping[str, Mapping[str, str]] = {
    "data": {
        "k_folds n_folds folds cv cross_validation": "write `split: {{folds: {value}}}`",
        "test_size test_split test": "write `split: {{test: {value}}}`",
        "validation_split val_split validation_size val_size validation val": "write `split: {{validation: {value}}}`",
        "train train_size train_split": _REST,
        "normalize normalise normalization standardize scaling scaler": "write `scale: standard`, or `scale: min_max`",
        "shuffle": "rows are drawn at random; `split: {{by: order}}` keeps their order",
        "file path filename file_name data_path source": "write `table: {value}`, or `series`, where rows follow each "
        "other in time",
        "lookback look_back sequence_length seq_len timesteps lags": "write `window: {{length: {value}}}`",
        "sep separator": "write `delimiter: {value}`",
        "date date_column time_column index_col": "write `time: {value}`",
        "batch_size": "write `batch_size: {value}` under `train`",
        "y": "write `target: {value}`",
        "x inputs columns": "write `features: {value}`",
        "na_values": "write `na: {value}`",
        "fillna impute imputation": "write `missing: median`",
    },
    "data.split": {
        "train training": _REST,
        "shuffle random": "write `by: random`, or `by: order` for rows as they stand",
        "stratify stratified": "write `by: stratified`",
        "seed random_state": "write `seed: {value}` at the top level",
    },
    "train": {
        "learning_rate lr": "write `optimizer: {{adam: {value}}}`",
        "weight_decay": "write `optimizer: {{adamw: {{weight_decay: {value}}}}}`",
        "momentum": "write `optimizer: {{sgd: {{momentum: {value}}}}}`",
        "patience": "write `early_stopping: {{patience: {value}}}`",
        "l2 l1 regularization": "write `kernel_regularizer: {{l2: 0.01}}` in a layer",
        "dropout": "write `- dropout: {value}` between the layers of `model`",
        "shuffle": "samples are shuffled in each epoch; leave `shuffle` out",
        "metrics": "write `evaluate: {{metrics: {value}}}` at the top level",
        "device gpu cuda": "write `runtime: {{device: gpu}}` at the top level",
        "validation_split val_split validation_size": "write `split: {{validation: {value}}}` under `data`",
        "clipnorm clip_norm grad_clip max_grad_norm": "write `gradient_clipping: {{norm: {value}}}`",
        "clipvalue clip_value": "write `gradient_clipping: {{value: {value}}}`",
        "seed random_state": "write `seed: {value}` at the top level",
        "amp fp16 mixed_precision precision": "write `runtime: {{precision: mixed_float16}}` at the top level",
        "save_best checkpoint": "`early_stopping` goes back to the best weights; leave `{key}` out",
        "steps iterations max_steps": "write `epochs`, how often all samples are seen",
    },
    "runtime": {
        "gpu cuda gpus use_gpu": "write `device: gpu`",
        "amp fp16 mixed_precision": "write `precision: mixed_float16`",
        "jit compile": "write `xla: on`",
        "seed": "write `seed: {value}` at the top level",
    },
    "evaluate": {
        "baseline": "write `baselines: [{value}]`",
        "seeds": "write `compare: {{without_pretraining: {{seeds: {value}}}}}`",
    },
    "layer": {
        "out_features hidden_size hidden_dim hidden_units nodes hidden": _UNITS,
        "in_features in_channels input_dim input_shape input_size": _SIZE,
        "out_channels channels": "write `filters: {value}`",
        "kernel": "write `kernel_size: {value}`",
        "stride": "write `strides: {value}`",
        "bias": "write `use_bias: {value}`",
        "dropout": "write `- dropout: {value}` below it",
        "l2": "write `kernel_regularizer: {{l2: {value}}}`",
        "l1": "write `kernel_regularizer: {{l1: {value}}}`",
        "bidirectional": "write `bidirectional: {{lstm: …}}` around it",
        "num_layers n_layers": "write `repeat: {{times: {value}, layers: […]}}` around it",
        "return_state": "nothing takes a state; leave it out, or write `return_sequences: true` for every timestep",
        "batch_first": "the batch comes first; leave it out",
        "p prob": "write `rate: {value}`",
    },
}
"""Where a key stands -> keys of others, one of several in a word -> the cure."""

VALUES: Mapping[str, Mapping[str, str]] = {
    "runtime.device": {"cuda cuda:0 cuda0 gpu:0 nvidia mps": "write `device: gpu`"},
    "runtime.precision": {
        "fp16 float16 half mixed 16": "write `precision: mixed_float16`",
        "bf16 bfloat16": "write `precision: mixed_bfloat16`",
        "fp32 32 full single": "write `precision: float32`",
    },
    "data.missing": {
        "mode most_frequent": "write `missing: median` for numbers; a word that is missing is a category of its own",
        "ffill bfill forward_fill backward_fill previous interpolate": "write `missing: median`, or `missing: drop`",
        "zero zeros fill": "write `missing: 0`",
        "dropna remove skip ignore": "write `missing: drop`",
        "average": "write `missing: mean`",
    },
    "data.scale": {
        "z_score zscore standardize standardscaler standard_scaler normal normalize true": "write `scale: standard`",
        "minmaxscaler min_max_scaler 01 unit": "write `scale: min_max`",
        "robustscaler robust_scaler": "write `scale: robust`",
        "false no off null": "write `scale: none`",
    },
    "train.loss": {
        "crossentropy cross_entropy_loss crossentropyloss nll nll_loss nllloss ce bce bceloss bce_loss bcewithlogits "
        "bcewithlogitsloss log_loss logloss softmax logistic": _USUAL_LOSS,
        "l1loss l1 l1_loss": "write `loss: mae`",
        "l2 l2loss l2_loss mseloss mse_loss squared_error": "write `loss: mse`",
        "smoothl1 smooth_l1 smoothl1loss huberloss": "write `loss: huber`",
    },
    "train.early_stopping": {
        "false no off none": "leave `early_stopping` out",
        "true yes on": "write `early_stopping: {{patience: 5}}`",
    },
    "train.schedule": {"plateau reduce_on_plateau reducelronplateau": "write `callbacks: [reduce_lr_on_plateau]`"},
    "seed": {"random none null": "write a number, such as `seed: 42`"},
    "train.epochs": {"auto": "write a number, such as `epochs: 100`, and `early_stopping: {{patience: 5}}`"},
    "evaluate.baselines": {
        "dummy naive most_frequent zero_rule": "leave `baselines` out: the usual ones are `persistence`, `mean` or "
        "`majority`, and `linear`",
        "logistic_regression logistic linear_regression ridge": "write `linear`",
        "last last_value": "write `persistence`",
        "average": "write `mean`",
    },
}
"""Where a value stands -> values of others -> the cure."""


def cure(kind: str, path: Sequence[str | int], value: Any) -> str | None:
    """What to write for a word of another tool; None: it is none that is known.

    Args:
        kind: the code of the mistake.
        path: of what is wrong.
        value: what stands there.
    """
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return None
    if kind == "unknown-key":
        key = names[-1]
        place = "layer" if names[0] == "model" and len(names) > 1 else ".".join(names[:-1])
        return _found(KEYS.get(place, {}), key, key, value)
    for place in (".".join(names), ".".join(names[:-1])):
        if place in VALUES and not isinstance(value, dict | list):
            found = _found(VALUES[place], "null" if value is None else str(value), names[-1], value)
            if found:
                return found
    if names == ["train", "gradient_clipping"] and isinstance(value, int | float) and not isinstance(value, bool):
        return f"write `gradient_clipping: {{norm: {value}}}`"
    if names == ["data", "split"] and isinstance(value, float):
        return f"write `split: {{test: {value}}}`"
    if names == ["evaluate"] and isinstance(value, list):
        return f"write `evaluate: {{metrics: {to_inline_yaml(value)}}}`"
    return None


def _found(table: Mapping[str, str], word: str, key: str, value: Any) -> str | None:
    bare = _bare(word)
    for words, text in table.items():
        if bare in map(_bare, words.split()):
            return text.format(key=key, value=to_inline_yaml(value) if not isinstance(value, dict) else "…")
    return None


def _bare(word: str) -> str:
    return re.sub(r"[\W_]", "", word).lower()
