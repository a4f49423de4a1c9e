"""Words of Keras, PyTorch, scikit-learn, Ludwig and of people, where they stand, and what to write here instead.

A word that only is another name of ours is in `language.words`; here are those that take more than another name.
`cures` finds them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlspec.language.notations import SIZES_OF_INPUT

_USUAL_LOSS = "leave `loss` out: it is what the target needs"
_SIZE = "it takes the size of its input by itself; leave `{key}` out"
REST = "the rest is trained on: write `validation` and `test` alone"
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
        "tracker trackers tracking logger loggers report_to tensorboard": "write `runtime: {{track: tensorboard}}`",
        "mlflow": "write `runtime: {{track: mlflow}}`",
        "wandb": "write `runtime: {{track: wandb}}`",
        "compile fit": "write its keys under `train`",
        "input_features": "write `features` under `data`: names of columns, or `{{NAME: numeric, OTHER: category}}`",
        "output_features": "write `target: NAME` under `data`",
    },
    "data": {
        "k_folds n_folds folds cv cross_validation n_splits kfold": "write `split: {{folds: {value}}}`",
        "test_size test_split test": "write `split: {{test: {value}}}`",
        "validation_split val_split validation_size val_size validation val": "write `split: {{validation: {value}}}`",
        "train train_size train_split": REST,
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
        "train training train_size": REST,
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
        "tracker trackers tracking logger loggers report_to tensorboard tensor_board tb": "write `track: tensorboard`",
        "mlflow": "write `track: mlflow`",
        "wandb weights_and_biases": "write `track: wandb`",
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
    "runtime.track": {"true yes on": "write `track: tensorboard`", "false no off none": "leave `track` out"},
    "runtime.xla": {"true yes": "write `xla: on`", "false no": "write `xla: off`"},
    "data.missing": {
        "mode most_frequent": "write `missing: median` for numbers; a word that is missing is a category of its own",
        "ffill forward_fill forward pad last": "write `missing: previous` for a series, `missing: median` for a table",
        "bfill backward_fill backward next": "write `missing: previous`: a series is filled in from the past; or "
        "`missing: interpolate`",
        "linear interpolation": "write `missing: interpolate`",
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
        "sigmoid_cross_entropy": _USUAL_LOSS,
        "focal focal_loss": "leave `loss` out, and write `class_weight: balanced` where classes are of unequal size",
        "l1loss l1 l1_loss": "write `loss: mae`",
        "l2 l2loss l2_loss mseloss mse_loss rmse": "write `loss: mse`",
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
        "transpose swapaxes moveaxis": "write `permute: [2, 1]`, which counts the axes behind the batch from 1",
        "pad": "write `zero_padding1d: {value}` for sequences, `zero_padding2d` for pictures",
        "tensordot inner vdot bmm": "write `dot: {{axes: [2, 1], from: [a, b]}}`, or `matmul` for matrices",
        "gather take getitem get_item index_select narrow": "write `slice: {{axis: 1, start: 0, stop: 8}}`",
        "unstack unbind chunk": "write `split: {{axis: 1, into: [left, right]}}`",
        "std stddev": "write `var: {value}` and `sqrt` below it",
        "norm": "write `square`, `sum: -1` and `sqrt` below each other, or `unit_normalization`",
        "reciprocal": "write `power: -1`",
        "rsqrt": "write `power: -0.5`",
        "negative neg": "write `rescaling: -1`",
        "divide true_divide div": "write `power: -1` above one of them, and `multiply: {{from: [a, b]}}`",
        "layerscale": "write `layer_scale`",
        "positional_encoding positional_embedding pos_embed sinusoidal sine_position_encoding": "write "
        "`position_embedding`, or `position_embedding: sine`",
        "cls_token class_token parameter learned_query learnable": "write `learned: {{shape: [1, 64]}}`, and "
        "`concatenate: {{axis: 1, from: [a, b]}}` below it",
        "optimizer loss epochs": "it belongs under `train`",
    },
}
"""Where a value stands, or the name of a layer -> values of others -> the cure."""

MERGING = frozenset(
    {"concatenate", "add", "average", "maximum", "minimum", "multiply", "subtract", "dot", "matmul", "sampling"}
)
"""Layers behind whose name people write those that they merge."""
ALL_COLUMNS = frozenset({"all", "*", "auto", "any", "everything", "rest", "numeric", "none", "default"})
"""What people write for all columns."""
