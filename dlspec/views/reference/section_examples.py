"""Specs that use every key of each section, for the reference and the tests."""

from __future__ import annotations

SECTION_EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        """\
extends: base.yaml
variables: {width: 16}
blocks:
  wide: {parameters: {units: 8}, layers: [{dense: $units}]}
dlspec: 1
name: first_try
description: Handwritten digits by a small network.
seed: 7
data: {dataset: digits}
model: [flatten, wide: $width, output]
pretrain: {method: autoencoder}
train: {epochs: 5}
evaluate: {metrics: accuracy}
runtime: {device: cpu}
budget: {parameters: 100000}
""",
    ),
    "data": (
        """\
data:
  dataset: digits
  features: image
  target: digit
  scale: min_max
  split: {validation: 0.2}
  labels: 200
  limit: 1000
  unlabeled: {dataset: digits}
model: [flatten, dense: 8, output]
pretrain: {method: autoencoder}
""",
        """\
data:
  series: prices.csv
  time: date
  target: close
  features: [open, close]
  window: {length: 30}
  predict: return
model: [lstm: 8, output]
""",
        """\
data:
  table: sales.txt
  encoding: cp1252
  delimiter: ";"
  decimal: ","
  thousands: "."
  header: [shop, day, sold]
  na: ["?", "-"]
  target: sold
model: [dense: 8, output]
""",
        """\
data: {series: quotes.csv, group: ticker, target: close, weight: volume, window: {length: 30}}
model: [lstm: 8, output]
""",
        """\
data: {table: patients.csv, target: ill}
model: [dense: 8, output]
""",
        """\
data:
  table: ["pat*.csv", sick.csv]
  target: ill
  features: {age: numeric}
  missing: median
model: [dense: 8, output]
""",
        """\
data: {images: {path: pets, size: 16}, cache: none}
model: [flatten, output]
""",
        """\
data: {audio: {path: words, rate: 8000, seconds: 1}}
model: [mel_spectrogram: {sampling_rate: 8000, fft_length: 256}, flatten, output]
""",
        """\
data: {arrays: samples.npz, scale_by: channel}
model: [flatten, output]
""",
        """\
data: {text: reviews}
model: [dense: 8, output]
""",
        """\
data: {dataset: goog, missing: previous, duplicates: last, resample: 1 w, target: close, window: {length: 12}}
model: [lstm: 8, output]
""",
        """\
data: {series: book.xlsx, sheet: sales, target: sold, window: {length: 12}}
model: [lstm: 8, output]
""",
    ),
    "data.images": (
        """\
data: {images: {path: pets.csv, column: file, size: [16, 24], color: grayscale, fit: crop, broken: skip}, target: kind}
model: [flatten, output]
""",
        """\
data: {images: {path: photos, masks: masks, classes: {0: sky, 100: road}, ignore: 255}}
model: [conv2d: {filters: 8, kernel_size: 3, padding: same, activation: relu}, output]
""",
    ),
    "data.audio": (
        """\
data: {audio: {path: words.csv, column: file, rate: 8000, seconds: 0.5, broken: skip}, target: word}
model: [mel_spectrogram: {sampling_rate: 8000, fft_length: 256}, flatten, output]
""",
    ),
    "data.target": (
        """\
data: {table: films.csv, target: {genres: {tags: "|"}}}
model: [dense: 8, output]
""",
        """\
data: {table: weather.csv, target: {rain: boolean, wind: boolean}}
model: [dense: 8, output]
""",
        """\
data: {table: notes.csv, target: {tags: {sequence: " "}}, features: {said: {text: {words: 200, length: 20}}}}
model: [embedding: 8, bidirectional: {lstm: {units: 8, return_sequences: true}}, output]
""",
        """\
data:
  table: phrases.csv
  features: {english: {text: {words: 5000, length: 20}}}
  target: {french: {sequence: words, feed_back: shifted, length: 25, words: 5000, beam: 4}}
model:
  inputs: {source: english, shifted: french}
  layers:
    - embedding: {output_dim: 64, mask_zero: true, from: source}
    - gru: {units: 128, name: reader}
    - embedding: {output_dim: 64, from: shifted}
    - gru: {units: 128, return_sequences: true, state_from: reader}
    - output
""",
        """\
data: {dataset: digit_strips, target: {number: {sequence: characters, beam: 8}}}
model: [permute: [2, 1], bidirectional: {lstm: {units: 32, return_sequences: true}}, output]
train: {loss: ctc}
""",
    ),
    "data.time": (
        """\
data: {dataset: goog, time: {column: date, format: "%Y-%m-%d"}, target: close, window: {length: 24}}
model: [lstm: 8, output]
""",
    ),
    "data.window": (
        """\
data: {dataset: goog, target: [high, low], window: {length: 30, horizon: 5, steps: 3, stride: 5, every: 2, gap: 20}}
model: [lstm: 8, output]
""",
    ),
    "data.missing": (
        """\
data: {dataset: goog, missing: {how: previous, limit: 3}, target: close, window: {length: 24, every: 2}}
model: [lstm: 8, output]
""",
    ),
    "data.resample": (
        """\
data: {dataset: goog, resample: {every: 1 w, how: last}, duplicates: last, target: close, window: {length: 12}}
model: [lstm: 8, output]
""",
    ),
    "data.split": (
        """\
data: {dataset: digits, split: {validation: 0.1, test: 300, by: order}}
""",
        """\
data: {dataset: digits, split: {folds: 5, by: random}}
""",
        """\
data: {table: visits.csv, target: ill, split: {group: patient}}
model: [dense: 8, output]
""",
        """\
data: {table: visits.csv, target: ill, features: age, split: {column: part}}
model: [dense: 8, output]
""",
        """\
data: {table: patients.csv, target: ill, split: {validation: 0.2, test: sick.csv}, missing: drop}
model: [dense: 8, output]
""",
        """\
data: {dataset: goog, window: {length: 30}, split: {test: 0.1, walk_forward: {folds: 4}}}
model: [lstm: 8, output]
""",
    ),
    "data.split.walk_forward": (
        """\
data: {dataset: goog, window: {length: 30}, split: {walk_forward: {folds: 4}}}
model: [lstm: 8, output]
""",
    ),
    "data.unlabeled": (
        """\
data: {dataset: digits, unlabeled: {dataset: digits}}
model: [flatten, dense: 8, output]
pretrain: {method: autoencoder}
""",
        """\
data: {table: patients.csv, target: ill, unlabeled: {table: more_patients.csv}}
model: [dense: 8, output]
pretrain: {method: autoencoder}
""",
        """\
data: {series: prices.csv, target: close, window: {length: 30}, unlabeled: {series: older_prices.csv}}
model: [lstm: 8, output]
pretrain: {method: autoencoder}
""",
        """\
data: {images: {path: pets, size: 16}, unlabeled: {images: {path: more_pets, size: 16}}}
model: [flatten, dense: 8, output]
pretrain: {method: autoencoder}
""",
        """\
data: {audio: {path: words, seconds: 1}, unlabeled: {audio: {path: more_words, seconds: 1}}}
model: [dense: 8, output]
pretrain: {method: autoencoder}
""",
        """\
data: {arrays: samples.npz, unlabeled: {arrays: {x: more.npy}}}
model: [flatten, dense: 8, output]
pretrain: {method: autoencoder}
""",
        """\
data: {text: reviews, unlabeled: {text: more_reviews}, features: {text: {text: {words: 50}}}}
model: [dense: 8, output]
pretrain: {method: autoencoder}
""",
    ),
    "data.unlabeled.images": (
        """\
data:
  images: {path: pets, size: 16}
  unlabeled: {images: {path: pets.csv, column: file, size: 16, color: rgb, fit: pad, broken: skip}}
model: [flatten, dense: 8, output]
pretrain: {method: autoencoder}
""",
    ),
    "data.unlabeled.audio": (
        """\
data:
  audio: {path: words, seconds: 1}
  unlabeled: {audio: {path: words.csv, column: file, rate: 8000, seconds: 1, broken: skip}}
model: [dense: 8, output]
pretrain: {method: autoencoder}
""",
    ),
    "model": (
        """\
data: {dataset: iris}
model:
  inputs: {petal: [petal_length, petal_width], sepal: [sepal_length, sepal_width]}
  layers:
    - concatenate: {from: [petal, sepal]}
    - dense: 8
  outputs: {kind: species}
""",
    ),
    "model.inputs": (
        """\
data: {dataset: iris}
model:
  inputs: {petal: {features: [petal_length, petal_width]}}
  layers: [dense: 8, output]
""",
    ),
    "model.outputs": (
        """\
data: {dataset: iris}
model:
  layers: [dense: {units: 8, name: seen}]
  outputs: {kind: {target: species, from: seen}}
""",
        """\
data: {dataset: iris}
model:
  layers: [dense: {units: 8, name: seen}]
  outputs:
    kind: {target: species, weight: 2, class_weight: balanced}
    width: {target: petal_width, loss: mae, from: seen}
    length: {target: petal_length, quantiles: [0.1, 0.5, 0.9]}
    sepal: {target: sepal_width, mixture: 3}
""",
    ),
    "model.outputs.target": (
        """\
data: {table: films.csv}
model:
  layers: [dense: 8]
  outputs: {about: {target: {genres: {tags: "|"}}}}
""",
        """\
data: {table: notes.csv, features: {said: {text: {words: 200, length: 20}}}}
model:
  layers: [embedding: 8, bidirectional: {lstm: {units: 8, return_sequences: true}}]
  outputs: {kind: {target: {tags: {sequence: " "}}}}
""",
    ),
    "train.teacher": (
        """\
data: {dataset: digits}
model: [flatten, dense: 16, output]
train: {teacher: {from: runs/large/001, temperature: 4, share: 0.9}}
""",
    ),
    "train": (
        """\
train:
  loss: sparse_categorical_crossentropy
  optimizer: {adam: 0.001}
  schedule: cosine_decay
  gradient_clipping: {norm: 1}
  epochs: 50
  batch_size: 64
  class_weight: balanced
  early_stopping: {patience: 5}
  callbacks: [terminate_on_nan]
  checkpoint_every: 5 min
""",
        """\
data: {dataset: digits}
model: [flatten, dense: 16, output]
train: {teacher: {from: runs/large/001}}
""",
        """\
data: {dataset: digits}
model:
  - reshape: [8, 8, 1]
  - rescaling: 15.9375  # from 0 to 16 in these data
  - resizing: {height: 32, width: 32}
  - application: {mobilenet: {trainable: false, pooling: avg}}
  - output
train: {epochs: 20, thaw_after: 10}
""",
    ),
    "train.gradient_clipping": (
        "train: {gradient_clipping: {norm: 1}}\n",
        "train: {gradient_clipping: {value: 0.5}}\n",
        "train: {gradient_clipping: {global_norm: 1}}\n",
    ),
    "train.early_stopping": (
        """\
train:
  early_stopping:
    monitor: val_loss
    mode: min
    patience: 10
    min_delta: 0.001
    baseline: 0.5
    start_from_epoch: 5
    restore_best_weights: true
""",
    ),
    "evaluate": (
        """\
model: [flatten, dense: 8, output]
pretrain: {method: autoencoder}
evaluate:
  metrics: [accuracy, log_loss]
  baselines: [majority, linear]
  compare: {without_pretraining: {seeds: 5}}
  require: {accuracy: 0.9, beats: baselines}
""",
    ),
    "evaluate.require": (
        """\
model: [flatten, dense: 8, output]
evaluate:
  metrics: [accuracy, log_loss]
  require: {accuracy: 0.9, log_loss: {at_most: 0.4, interval: true}, beats: baselines}
""",
    ),
    "evaluate.compare": (
        """\
model: [flatten, dense: 8, output]
pretrain: {method: autoencoder}
evaluate: {compare: {without_pretraining: {seeds: 5}}}
""",
    ),
    "evaluate.compare.without_pretraining": (
        """\
model: [flatten, dense: 8, output]
pretrain: {method: autoencoder}
evaluate: {compare: {without_pretraining: {seeds: 5}}}
""",
    ),
    "runtime": (
        "runtime: {device: gpu, deterministic: true, xla: off, precision: mixed_bfloat16}\n",
        "runtime: {distribute: {strategy: mirrored}}\n",
        'runtime: {track: [tensorboard, {mlflow: {uri: "sqlite:///mlflow.db"}}, {wandb: {mode: offline}}]}\n',
    ),
    "runtime.distribute": ("runtime: {distribute: {strategy: mirrored, devices: 4}}\n",),
    "budget": ("budget: {parameters: 10000, flops: 20000, size: 100 KB, memory: 1 MB, latency: 5 ms}\n",),
}
"""Path of a section -> specs that use every key of it; what does not matter is left out."""
