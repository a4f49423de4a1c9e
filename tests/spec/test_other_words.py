"""Words of other tools: each is answered by exactly what to write here, so that the cure, typed in, is accepted."""

import pytest

import dlspec

SPEC = {
    "data": "{dataset: iris}",
    "model": "[{dense: {units: 8}}, output]",
    "train": "{epochs: 2}",
}
TABLE = """\
data | {dataset: iris, k_folds: 5} | split: {folds: 5} | {dataset: iris, split: {folds: 5}}
data | {dataset: iris, folds: 5} | split: {folds: 5} | {dataset: iris, split: {folds: 5}}
data | {dataset: iris, test_size: 0.2} | split: {test: 0.2} | {dataset: iris, split: {test: 0.2}}
data | {dataset: iris, validation_split: 0.2} | split: {validation: 0.2} | {dataset: iris, split: {validation: 0.2}}
data | {dataset: iris, split: {train: 0.7}} | {validation: 0.15, test: 0.15} | {dataset: iris, split: {test: 0.15}}
data | {dataset: iris, split: 0.2} | split: {test: 0.2} | {dataset: iris, split: {test: 0.2}}
data | {dataset: iris, split: {k_folds: 5}} | folds | {dataset: iris, split: {folds: 5}}
data | {dataset: iris, split: {shuffle: true}} | by: random | {dataset: iris, split: {by: random}}
data | {dataset: iris, split: {stratify: true}} | by: stratified | {dataset: iris, split: {by: stratified}}
data | {dataset: iris, split: {random_state: 3}} | seed: 3 | {dataset: iris}
data | {dataset: iris, normalize: true} | scale: standard | {dataset: iris, scale: standard}
data | {dataset: iris, scale: zscore} | scale: standard | {dataset: iris, scale: standard}
data | {dataset: iris, scale: StandardScaler} | scale: standard | {dataset: iris, scale: standard}
data | {dataset: iris, scale: MinMaxScaler} | scale: min_max | {dataset: iris, scale: min_max}
data | {dataset: iris, scale: minmax} | min_max | {dataset: iris, scale: min_max}
data | {dataset: iris, scale: true} | scale: standard | {dataset: iris, scale: standard}
data | {dataset: iris, scale: false} | scale: none | {dataset: iris, scale: none}
data | {dataset: iris, missing: mode} | missing: median | {dataset: iris, missing: median}
data | {dataset: iris, missing: ffill} | missing: median | {dataset: iris, missing: median}
data | {dataset: iris, missing: dropna} | missing: drop | {dataset: iris, missing: drop}
data | {dataset: iris, missing: zeros} | missing: 0 | {dataset: iris, missing: 0}
data | {dataset: iris, missing: average} | missing: mean | {dataset: iris, missing: mean}
data | {dataset: iris, features: all} | leave `features` out | {dataset: iris}
data | {dataset: iris, features: "*"} | leave `features` out | {dataset: iris}
data | {dataset: iris, features: "petal_length, petal_width"} | features: [petal_length, petal_width] | {dataset: iris}
data | {dataset: goog, lookback: 30} | window: {length: 30} | {dataset: goog, window: {length: 30}}
model | [{linear: 32}, output] | dense | [{dense: 32}, output]
model | [{Linear: 32}, output] | dense | [{dense: 32}, output]
model | [{fc: 32}, output] | dense | [{dense: 32}, output]
model | [Dense(8), output] | dense: 8 | [{dense: 8}, output]
model | [dense 8, output] | dense: 8 | [{dense: 8}, output]
model | [BatchNormalization, output] | batch_normalization | [batch_normalization, output]
model | [{dense: {out_features: 8}}, output] | units: 8 | [{dense: {units: 8}}, output]
model | [{dense: {units: 8, in_features: 4}}, output] | leave `in_features` out | [{dense: {units: 8}}, output]
model | [{dense: {units: 8, bias: false}}, output] | use_bias: false | [{dense: {units: 8, use_bias: false}}, output]
model | [{dense: {units: 8, dropout: 0.1}}, output] | - dropout: 0.1 | [{dense: {units: 8}}, {dropout: 0.1}, output]
model | [{dense: {units: 8, l2: 1}}, output] | {l2: 1} | [{dense: {units: 8, kernel_regularizer: {l2: 1}}}, output]
model | [{dense: {units: 8, activation: ReLU}}, output] | relu | [{dense: {units: 8, activation: relu}}, output]
model | [{dense: 8}, {dropout: {p: 0.2}}, output] | rate: 0.2 | [{dense: 8}, {dropout: {rate: 0.2}}, output]
train | {n_epochs: 5} | epochs | {epochs: 5}
train | {num_epochs: 5} | epochs | {epochs: 5}
train | {learning_rate: 0.01} | optimizer: {adam: 0.01} | {optimizer: {adam: 0.01}}
train | {lr: 0.01} | optimizer: {adam: 0.01} | {optimizer: {adam: 0.01}}
train | {optimizer: Adam} | adam | {optimizer: adam}
train | {optimizer: "adam, 0.001"} | adam: 0.001 | {optimizer: {adam: 0.001}}
train | {optimizer: adam(0.01)} | adam: 0.01 | {optimizer: {adam: 0.01}}
train | {optimizer: {adam: {lr: 0.01}}} | learning_rate | {optimizer: {adam: {learning_rate: 0.01}}}
train | {weight_decay: 0.1} | optimizer: {adamw: {weight_decay: 0.1}} | {optimizer: {adamw: {weight_decay: 0.1}}}
train | {momentum: 0.9} | optimizer: {sgd: {momentum: 0.9}} | {optimizer: {sgd: {momentum: 0.9}}}
train | {patience: 3} | early_stopping: {patience: 3} | {early_stopping: {patience: 3}}
train | {early_stopping: true} | early_stopping: {patience: 5} | {early_stopping: {patience: 5}}
train | {early_stopping: false} | leave `early_stopping` out | {epochs: 2}
train | {clipnorm: 1} | gradient_clipping: {norm: 1} | {gradient_clipping: {norm: 1}}
train | {gradient_clipping: 1} | gradient_clipping: {norm: 1} | {gradient_clipping: {norm: 1}}
train | {loss: crossentropy} | leave `loss` out | {epochs: 2}
train | {loss: CrossEntropyLoss} | leave `loss` out | {epochs: 2}
train | {loss: BCEWithLogitsLoss} | leave `loss` out | {epochs: 2}
train | {loss: nll} | leave `loss` out | {epochs: 2}
train | {schedule: plateau} | callbacks: [reduce_lr_on_plateau] | {callbacks: [reduce_lr_on_plateau]}
train | {schedule: cosine} | cosine_decay | {schedule: cosine_decay}
train | {metrics: [accuracy]} | evaluate: {metrics: [accuracy]} | {epochs: 2}
train | {device: cuda} | runtime: {device: gpu} | {epochs: 2}
train | {validation_split: 0.2} | split: {validation: 0.2} | {epochs: 2}
train | {shuffle: true} | leave `shuffle` out | {epochs: 2}
train | {epochs: auto} | epochs: 100 | {epochs: 100}
runtime | {device: cuda} | device: gpu | {device: auto}
runtime | {device: "cuda:0"} | device: gpu | {device: auto}
runtime | {gpu: true} | device: gpu | {device: auto}
runtime | {precision: fp16} | precision: mixed_float16 | {precision: mixed_float16}
runtime | {precision: bf16} | precision: mixed_bfloat16 | {precision: mixed_bfloat16}
pretrain | rbm | pretrain: {method: rbm} | {method: rbm, optimizer: {sgd: 0.001}}
pretrain | autoencoder | pretrain: {method: autoencoder} | {method: autoencoder}
evaluate | [accuracy] | evaluate: {metrics: [accuracy]} | {metrics: [accuracy]}
evaluate | {metrics: [acc]} | accuracy | {metrics: [accuracy]}
evaluate | {metrics: [f1]} | f1_score | {metrics: [f1_score]}
evaluate | {baselines: [logistic_regression]} | linear | {baselines: [linear]}
evaluate | {baselines: [dummy]} | leave `baselines` out | {metrics: [accuracy]}
seed | random | seed: 42 | 42
"""
CASES = [[part.strip() for part in line.split(" | ")] for line in TABLE.splitlines()]


def problems(section, text):
    spec = {**SPEC, section: text}
    if "goog" in text:
        spec["model"] = "[{lstm: 3}, output]"
    return dlspec.validate("dlspec: 1\n" + "".join(f"{name}: {value}\n" for name, value in spec.items()))


@pytest.mark.parametrize(("section", "wrong", "cure", "right"), CASES)
def test_the_cure_is_what_to_write(section, wrong, cure, right):
    found = problems(section, wrong)
    errors = [problem for problem in found if problem.is_error and problem.code != "missing-key"]
    assert len(errors) == 1, [problem.message for problem in found]
    assert cure in (errors[0].help or ""), errors[0]
    assert [problem for problem in problems(section, right) if problem.is_error] == []
