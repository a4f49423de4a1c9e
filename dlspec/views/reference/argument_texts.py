"""What arguments mean wherever they stand, and what each activation computes.

A class says in a field's own `description` what is special to it; what holds everywhere is said here once. A name with
a dot is the argument of one class alone.
"""

from __future__ import annotations

ARGUMENTS = {
    # layers
    "name": "what other parts of the spec call it; by default its type and a number",
    "trainable": "whether training changes its weights",
    "dtype": "precision of its numbers, where it is not that of the others",
    "seed": "of its random numbers; by default it follows the seed of the spec",
    "data_format": "whether the channels are the last axis, which they are by default, or the first",
    "units": "how many numbers come out; by default what the target needs",
    "activation": "function of what comes out",
    "use_bias": "whether it adds a bias",
    "filters": "how many filters it has, and so channels come out",
    "kernel_size": "size of the filters",
    "strides": "how far a window is moved at a time; by default a convolution moves 1, pooling a whole window",
    "padding": "`same` pads the input with zeros so that as much comes out as went in (divided by `strides`), `causal` "
    "pads its start, `valid` does not pad",
    "dilation_rate": "distance between the values that a filter looks at",
    "groups": "into how many groups channels are split, each with filters of its own",
    "kernel_initializer": "how its weights start",
    "bias_initializer": "how the bias starts",
    "recurrent_initializer": "how the weights of the state start",
    "embeddings_initializer": "how the vectors start",
    "beta_initializer": "how what is added starts",
    "gamma_initializer": "how the factors start",
    "alpha_initializer": "how the slopes start",
    "moving_mean_initializer": "how the running mean starts",
    "moving_variance_initializer": "how the running variance starts",
    "kernel_regularizer": "penalty on its weights",
    "bias_regularizer": "penalty on the bias",
    "recurrent_regularizer": "penalty on the weights of the state",
    "embeddings_regularizer": "penalty on the vectors",
    "beta_regularizer": "penalty on what is added",
    "gamma_regularizer": "penalty on the factors",
    "alpha_regularizer": "penalty on the slopes",
    "activity_regularizer": "penalty on what comes out",
    "kernel_constraint": "limits its weights after every step",
    "bias_constraint": "limits the bias after every step",
    "recurrent_constraint": "limits the weights of the state after every step",
    "embeddings_constraint": "limits the vectors after every step",
    "beta_constraint": "limits what is added after every step",
    "gamma_constraint": "limits the factors after every step",
    "alpha_constraint": "limits the slopes after every step",
    "center": "whether it adds a learned number to each feature",
    "scale": "whether it multiplies each feature by a learned number",
    "epsilon": "a small number that keeps it from dividing by zero",
    "renorm_clipping": "limits of the corrections of batch renormalization",
    "merge_mode": "how the outputs of both directions come together",
    "backward_layer": "the layer that reads backwards; by default like `layer`",
    "interpolation": "how values between pixels are found",
    "fill_mode": "what stands outside of the image",
    "output_mode": "what comes out: the numbers themselves, or vectors made of them",
    "window": "shape of the window",
    "scaling": "how values are scaled",
    "encoding": "of the text",
    "standardize": "what is done to the text first",
    "height": "rows of the images that come out",
    "width": "columns of the images that come out",
    "brightness_factor": "how much brightness changes",
    "contrast_factor": "how much contrast changes",
    "saturation_factor": "how much saturation changes",
    "hue_factor": "how much the hue changes",
    "normalization.mean": "the mean of each feature; by default it is learned from the training data",
    # losses and metrics
    "reduction": "how the losses of a batch become one number",
    "label_smoothing": "how far labels are moved from 0 and 1 towards each other",
    "ignore_class": "a class whose samples do not count",
    "axis": "over which axes it is computed",
    "apply_class_balancing": "whether classes are weighted by `alpha`",
    "binary_focal_crossentropy.alpha": "weight of the second class",
    "categorical_focal_crossentropy.alpha": "weight of the classes",
    "tversky.alpha": "weight of wrong positives",
    "tversky.beta": "weight of wrong negatives",
    "class_id": "the class that it is computed for, counted from 0; by default all",
    "num_thresholds": "how many thresholds are tried",
    "auc.thresholds": "the thresholds themselves, instead of `num_thresholds`",
    "threshold": "above which probability a sample counts as positive; by default the most probable class does",
    "top_k": "how many of the most probable classes count as predicted",
    "average": "how the values of the classes become one",
    "curve": "`ROC`, or `PR`: precision over recall",
    "summation_method": "how the area under the curve is approximated",
    "multi_label": "whether each class has a curve of its own",
    "label_weights": "weight of each class, with `multi_label`",
    "target_class_ids": "the classes that it is computed for, counted from 0",
    "num_regressors": "how many inputs the network has, for the adjusted value; 0: not adjusted",
    # optimizers
    "weight_decay": "share of each weight that a step takes away",
    "clipnorm": "largest norm of the gradient of each weight matrix",
    "clipvalue": "largest gradient of each weight",
    "global_clipnorm": "largest norm of all gradients together",
    "use_ema": "whether training ends with a running average of the weights",
    "ema_momentum": "how much of that average stays at each step",
    "ema_overwrite_frequency": "after how many steps the average becomes the weights; by default at the end",
    "loss_scale_factor": "what the loss is multiplied by, and gradients divided by, against underflow",
    "gradient_accumulation_steps": "over how many batches gradients are added up before a step",
    "beta_1": "how much of the mean gradient stays at each step",
    "beta_2": "how much of the mean squared gradient stays at each step",
    "rho": "how much of the mean squared gradient stays at each step",
    "amsgrad": "whether to divide by the largest mean squared gradient so far",
    "nesterov": "whether to look ahead along the momentum",
    "initial_accumulator_value": "what the sums of squared gradients start at",
    "centered": "whether gradients are divided by their deviation instead of their root mean square",
    "warmup_steps": "over how many steps the learning rate rises first",
    "momentum": "how much of the last step is taken again",
    "beta_2_decay": "how fast older squared gradients are forgotten",
    "epsilon_1": "a small number that is added to squared gradients",
    "epsilon_2": "the least size of weights that steps are scaled by",
    "clip_threshold": "above which root mean square steps are cut",
    "relative_step": "whether the learning rate falls with the number of steps",
    "learning_rate_power": "by which power of the sums the learning rate falls",
    "l1_regularization_strength": "penalty on absolute values",
    "l2_regularization_strength": "penalty on squares",
    "l2_shrinkage_regularization_strength": "penalty on squares of the gradient's step",
    "ftrl.beta": "what is added to the root of the sums",
    "adam_beta_1": "`beta_1` of the weights that Adam trains",
    "adam_beta_2": "`beta_2` of the weights that Adam trains",
    "adam_weight_decay": "`weight_decay` of the weights that Adam trains",
    "adam_lr_ratio": "learning rate of the weights that Adam trains, as a share of the other",
    "exclude_layers": "names of layers that Adam trains",
    "exclude_embeddings": "whether Adam trains embeddings",
    "muon_a": "first coefficient of the Newton-Schulz iteration",
    "muon_b": "second coefficient of the Newton-Schulz iteration",
    "muon_c": "third coefficient of the Newton-Schulz iteration",
    "ns_steps": "how many Newton-Schulz iterations each step takes",
    "rms_rate": "root mean square that steps are scaled to",
    # schedules
    "decay_steps": "over how many steps it falls; by default over the whole training",
    "alpha": "the lowest learning rate, as a share of the first",
    "warmup_target": "the learning rate that it rises to first",
    "t_mul": "how many times as long each period is as the one before",
    "m_mul": "how many times as high each period begins as the one before",
    "end_learning_rate": "the learning rate at the end",
    "power": "of the polynomial; 1 is a straight line",
    "cycle": "whether it begins anew after `decay_steps`",
    "staircase": "whether it falls in steps",
    # initializers, regularizers and constraints
    "input_axes": "which axes of the weights count as inputs",
    "output_axes": "which axes of the weights count as outputs",
    "mean": "mean of the distribution",
    "minval": "the lowest number",
    "maxval": "the highest number",
    "side": "which part of the transform: `real` or `imag`",
    "periodic": "whether the window goes on periodically",
    "distribution": "what numbers are drawn from",
    "variance_scaling.mode": "what the variance is divided by",
    "orthogonal_regularizer.mode": "what is to be at right angles",
    "l1": "strength of the penalty on absolute values",
    "l2": "strength of the penalty on squares",
    "min_value": "the smallest norm",
    "max_value": "the largest norm",
    "min_max_norm.rate": "how much of the way back is gone at each step",
    # callbacks, early stopping
    "monitor": "what is watched",
    "patience": "epochs to wait for something better",
    "min_delta": "by how much better is better",
    "mode": "whether lower or higher is better",
    "cooldown": "epochs to wait after a change",
    "min_lr": "the lowest learning rate",
    "swap_on_epoch": "whether the average stays in the network until the next epoch",
    "log_dir": "folder below the run folder",
    "histogram_freq": "every how many epochs weights are written; 0: never",
    "write_graph": "whether the graph is written",
    "write_images": "whether weights are written as images",
    "write_steps_per_second": "whether the speed is written",
    "update_freq": "how often losses are written: every `epoch`, every `batch`, or every so many batches",
    "profile_batch": "the batch, or the first and the last one, that is profiled; 0: none",
    "embeddings_freq": "every how many epochs embeddings are written; 0: never",
    "embeddings_metadata": "file with the labels of embeddings",
    "raise_error": "whether the run ends with an error",
    "baseline": "value to get below; training ends if it does not within `patience` epochs",
    "restore_best_weights": "whether training ends with the best weights instead of the last ones",
    "start_from_epoch": "how many epochs pass before it begins to watch",
    # pretraining and datasets
    "epochs": "passes over the training data",
    "batch_size": "samples in a step",
    "optimizer": "how weights follow the gradient",
    "loss": "what training makes small; by default what the target needs",
    "then": "`fine_tune` trains all layers, `freeze` only those that were not pretrained, `unroll` the network and its "
    "mirror, which gives back the input",
    "thaw_after": "epochs after which frozen layers are trained, too; by default never",
    "per_layer": "settings of single layers, by their names: `{h2: {epochs: 5}}`",
    "from": "run folder whose layers of the same names these start from; what it does not have is pretrained",
    "early_stopping": "when a stage ends before its last epoch",
    "tied_weights": "whether the decoder uses the encoder's weights",
    "corruption": "how the input is spoiled",
    "samples": "how many samples are made",
    "noise": "deviation of the noise that is added",
    "tau": "delay of the equation",
    "turns": "how often each spiral goes round",
    "missing": "what happens to missing values, where it is not what `data` says of all columns",
    "circles.factor": "radius of the inner circle, that of the outer one being 1",
    "sine.period": "timesteps of a wave",
    "cifar100.labels": "the 100 classes, or the 20 above them",
    # sections
    "DataSpec.dataset": "a built-in dataset",
    "DataSpec.table": "CSV, TSV, JSON Lines or Parquet files whose rows are samples: a path, several, or a pattern",
    "DataSpec.series": "such files whose rows are timesteps, oldest first",
    "DataSpec.images": "pictures: a folder with a folder for each class, or a table with a column of paths",
    "DataSpec.text": "texts: a folder with a folder of `.txt` files for each class, or a table with a column of text",
    "DataSpec.audio": "sounds in WAV files: a folder with a folder for each class, or a table with a column of paths",
    "DataSpec.arrays": "an `.npz` file of numpy with `x` and `y`, or `x_train`, `y_train`, `x_test` and `y_test`; or a "
    "mapping from such names to `.npy` files",
    "DataSpec.encoding": "of files of rows, as Python calls it: `cp1252`, `utf-16`; UTF-8, if not given",
    "DataSpec.delimiter": "the character between values; by default what makes as many of them in every line",
    "DataSpec.decimal": "what stands before fractions; by default as all values together have it",
    "DataSpec.thousands": "what stands between thousands; by default as all values together have it",
    "DataSpec.header": "names of all columns of files that have no line of names; `false` calls them `column_1`, …",
    "DataSpec.na": "words that stand for a missing value, beside an empty one",
    "DataSpec.time": "column with the time of a series; with `format`, how times are written",
    "DataSpec.group": "column that separates several series in the same files; no window crosses from one into another",
    "DataSpec.target": "column to predict, or several that are all numbers or all yes or no, or a mapping from each to "
    "its type: `category`, `numeric`, `boolean` or `tags`; or `input` for a network that gives back what it sees",
    "Tags.tags": "what stands between the labels in a value; `tags` alone means a comma",
    "DataSpec.features": "columns that the network sees, or a mapping from each to its type; by default all but text, "
    "times, and words of more than 100 sorts",
    "DataSpec.window": "how samples are cut from a series",
    "DataSpec.predict": "of a series, what the network puts out; metrics are always of the level",
    "DataSpec.scale": "how values are scaled; fitted on the training part only",
    "DataSpec.missing": "what happens to missing values: an `error`, their rows are left out (`drop`), or the `mean` "
    "or `median` of the training part or a number stands in; missing words are then a category of their own",
    "DataSpec.split": "what is kept out of training",
    "DataSpec.labels": "how many labels of the training part are kept, or which share of them",
    "DataSpec.limit": "how many training samples are used",
    "DataSpec.cache": "whether samples are kept in `memory` or read whenever they are needed (`none`); by default what "
    "takes an eighth of the machine's memory at most is kept",
    "DataSpec.unlabeled": "another source with the same features, whose samples only pretraining sees",
    "UnlabeledSpec.dataset": "a built-in dataset",
    "UnlabeledSpec.table": "files whose rows are samples",
    "UnlabeledSpec.series": "files whose rows are timesteps, oldest first",
    "UnlabeledSpec.images": "pictures",
    "UnlabeledSpec.text": "texts",
    "UnlabeledSpec.audio": "sounds",
    "UnlabeledSpec.arrays": "arrays of numpy",
    "Split.validation": "share, or number of samples, that early stopping and the curves are measured on; or the files "
    "that hold them",
    "Split.test": "share, or number of samples, that the result is measured on, or the files that hold them; not where "
    "the data bring a test part. Of a walk forward, of each test",
    "GradientClipping.norm": "largest norm of the gradient of each weight matrix",
    "GradientClipping.value": "largest gradient of each weight",
    "GradientClipping.global_norm": "largest norm of all gradients together",
    "TrainSpec.schedule": "how the learning rate changes",
    "TrainSpec.gradient_clipping": "limits gradients",
    "TrainSpec.class_weight": "`balanced`, or how much a sample of each class counts",
    "TrainSpec.early_stopping": "when training ends before its last epoch",
    "TrainSpec.checkpoint_every": "how much training may be lost at most when the machine dies, such as `5 min`; by "
    "default 10 s, or more where saving would take a twentieth of the time",
    "TrainSpec.callbacks": "what else is done while training",
    "EvaluateSpec.metrics": "what is computed on every part; by default what fits the target",
    "EvaluateSpec.baselines": "what the network is compared with; by default what fits the target",
    "EvaluateSpec.compare": "what else is trained, to see what something is good for",
    "RuntimeSpec.device": "where it is computed",
    "RuntimeSpec.xla": "whether training is compiled by XLA; by default where that saves more time than it takes",
    "RuntimeSpec.precision": "of the numbers: with `mixed_…` layers compute in 16 bits and keep their weights in 32, "
    "which is faster on most GPUs and slower on a CPU",
    "RuntimeSpec.distribute": "several GPUs of one machine",
    "RuntimeSpec.deterministic": "on a GPU, slower kernels that give the same bits every time",
    "ModelSpec.inputs": "several inputs: a name for each, and its columns",
    "ModelSpec.outputs": "several outputs: a name for each, and its column",
    "RenormClipping.rmax": "largest factor",
    "RenormClipping.rmin": "smallest factor",
    "RenormClipping.dmax": "largest shift",
    "Spec.name": "name of the run folder; by default that of the file",
    "Spec.description": "a sentence for the report",
    "Spec.seed": "where all random numbers start",
    "Spec.pretrain": "greedy pretraining, layer by layer; without this section there is none",
    "Spec.train": "how the whole network is trained",
    "Spec.evaluate": "metrics and baselines",
    "Spec.runtime": "where it runs",
    "Spec.budget": "what the network may cost at most",
}

ENDINGS = {
    "_initializer": "how its {} weights start",
    "_regularizer": "penalty on its {} weights",
    "_constraint": "limits its {} weights after every step",
}
"""What an argument that ends so means, if nothing else is said: `depthwise_initializer`."""

ACTIVATION_FORMULAS = {
    "celu": "max(0, x) + min(0, exp(x) - 1) (Barron, 2017).",
    "elu": "x above 0, exp(x) - 1 below (Clevert et al., 2016).",
    "exponential": "exp(x).",
    "gelu": "x times the normal distribution function of x (Hendrycks and Gimpel, 2016).",
    "hard_shrink": "x where its absolute value is above 0.5, else 0.",
    "hard_sigmoid": "(x + 3) / 6, between 0 and 1.",
    "hard_silu": "x hard_sigmoid(x) (Howard et al., 2019).",
    "hard_tanh": "x, between -1 and 1.",
    "leaky_relu": "x above 0, 0.2 x below (Maas et al., 2013).",
    "linear": "x.",
    "log_sigmoid": "log sigmoid(x).",
    "log_softmax": "log softmax(x), over the last axis.",
    "mish": "x tanh(softplus(x)) (Misra, 2019).",
    "relu": "max(0, x) (Nair and Hinton, 2010).",
    "relu6": "x, between 0 and 6.",
    "selu": "1.0507 x above 0, 1.0507 times 1.6733 (exp(x) - 1) below (Klambauer et al., 2017).",
    "sigmoid": "1 / (1 + exp(-x)).",
    "silu": "x sigmoid(x) (Ramachandran et al., 2017).",
    "soft_shrink": "x moved towards 0 by 0.5, and 0 where its absolute value is below 0.5.",
    "softmax": "exp(x), divided by its sum over the last axis: probabilities.",
    "softplus": "log(1 + exp(x)).",
    "softsign": "x / (1 + |x|).",
    "sparse_plus": "0 below -1, x above 1, (x + 1)^2 / 4 between.",
    "sparse_sigmoid": "(x + 1) / 2, between 0 and 1.",
    "sparsemax": "the probabilities nearest to x, over the last axis, many of them 0 (Martins and Astudillo, 2016).",
    "squareplus": "(x + sqrt(x^2 + 4)) / 2 (Barron, 2021).",
    "tanh": "(exp(x) - exp(-x)) / (exp(x) + exp(-x)).",
    "tanh_shrink": "x - tanh(x).",
}

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
data: {series: quotes.csv, group: ticker, target: close, window: {length: 30}}
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
data: {arrays: samples.npz}
model: [flatten, output]
""",
        """\
data: {text: reviews}
model: [dense: 8, output]
""",
    ),
    "data.images": (
        """\
data: {images: {path: pets.csv, column: file, size: [16, 24], color: grayscale, fit: crop, broken: skip}, target: kind}
model: [flatten, output]
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
    ),
    "data.time": (
        """\
data: {dataset: goog, time: {column: date, format: "%Y-%m-%d"}, target: close, window: {length: 24}}
model: [lstm: 8, output]
""",
    ),
    "data.window": (
        """\
data: {dataset: goog, target: [high, low], window: {length: 30, horizon: 5, steps: 3, stride: 5, gap: 20}}
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
    ),
    "runtime.distribute": ("runtime: {distribute: {strategy: mirrored, devices: 4}}\n",),
    "budget": ("budget: {parameters: 10000, flops: 20000, size: 100 KB, memory: 1 MB}\n",),
}
"""Path of a section -> specs that use every key of it; what does not matter is left out."""
