"""What people look for by other words than those of a spec: a sentence, and a spec that does it."""

from __future__ import annotations

from dataclasses import dataclass

from dlspec.language.words import bare


@dataclass(frozen=True)
class Meaning:
    """What to write for an idea that has no word of its own here.

    Args:
        words: what people call it, parted by commas.
        text: how a spec does it.
        spec: the lines that do it, of a spec that is valid with `dlspec: 1` in front; empty: it cannot be written.
    """

    words: str
    text: str
    spec: str = ""


TABLE = "data: {dataset: iris}\n"
SERIES = "data: {dataset: goog, window: {length: 30}}\n"
PICTURES = "data: {dataset: digits}\n"
_PLUGIN = "write a class in a file that `--plugin FILE` names, see `Plugins` in docs/language.md"

MEANINGS = (
    Meaning(
        "transformer, transformer encoder, self attention, attention block, bert, gpt, vit, encoder block",
        "A block of `multi_head_attention` and `dense` layers, each with `skip` around it and `layer_normalization` "
        "behind it (Vaswani et al., 2017). With `use_causal_mask: true` a timestep sees those before it alone.",
        f"""{SERIES}blocks:
  encoder:
    parameters: {{heads: 4, wide: 64}}
    layers:
      - skip: [multi_head_attention: {{num_heads: $heads, key_dim: 16}}]
      - layer_normalization
      - skip: [dense: {{units: $wide, activation: relu}}, dense: 32]
      - layer_normalization
model:
  - dense: 32
  - encoder
  - encoder
  - global_average_pooling1d
  - output
""",
    ),
    Meaning(
        "resnet, residual, residual block, skip connection, shortcut, residual network",
        "`skip` adds what goes into its layers to what comes out of them (He et al., 2016). Both need one shape.",
        f"""{PICTURES}blocks:
  residual:
    parameters: {{filters: 16}}
    layers:
      - skip:
          - conv2d: {{filters: $filters, kernel_size: 3, padding: same}}
          - relu
          - conv2d: {{filters: $filters, kernel_size: 3, padding: same}}
      - relu
model:
  - reshape: [8, 8, 1]
  - conv2d: {{filters: 16, kernel_size: 3, padding: same, activation: relu}}
  - residual
  - residual
  - global_average_pooling2d
  - output
""",
    ),
    Meaning(
        "inception, parallel, parallel layers, multi branch, fork, split path",
        "`branches` runs several lists of layers on the same input and merges what comes out.",
        f"{TABLE}model:\n  - branches: [[dense: 8], [dense: 16, dense: 8]]\n  - output\n",
    ),
    Meaning(
        "cnn, convnet, convolutional network, lenet, image classifier",
        "`conv2d` and `max_pooling2d` in turn, `flatten`, and `dense` (LeCun et al., 1998).",
        f"{PICTURES}model:\n  - reshape: [8, 8, 1]\n  - conv2d: {{filters: 8, kernel_size: 3, activation: relu}}\n"
        "  - max_pooling2d\n  - flatten\n  - dense: {units: 32, activation: relu}\n  - output\n",
    ),
    Meaning(
        "lookback, lag, lags, sequence length, timesteps, history, sliding window, seq len, past values",
        "`window` of `data`: `length` says how many timesteps the network sees, `horizon` how far ahead it predicts.",
        "data: {dataset: goog, window: {length: 30, horizon: 1}}\nmodel:\n  - lstm: 16\n  - output\n",
    ),
    Meaning(
        "forecast, forecasting, horizon, steps ahead, multi step, time series",
        "A `series` with `window`: `horizon` says how far ahead, `steps` how many timesteps are predicted at once.",
        "data: {dataset: goog, window: {length: 30, horizon: 5}}\nmodel:\n  - lstm: 16\n  - output\n",
    ),
    Meaning(
        "autoencoder, encoder decoder, reconstruction, bottleneck, compression",
        "`target: input` gives the input back; the narrowest layer is the code. `pretrain: {method: autoencoder}` "
        "trains layer by layer.",
        "data: {dataset: digits, scale: min_max, target: input}\nmodel:\n  - flatten\n"
        "  - dense: {units: 16, activation: relu}\n  - dense: {units: 64, activation: sigmoid}\n",
    ),
    Meaning(
        "seq2seq, sequence to sequence, teacher forcing, translation, decoder input, beam search",
        "`target: {answer: {sequence: characters, feed_back: shifted}}` writes a text item by item; `shifted` is the "
        "input that sees what was written so far.",
        """\
data:
  dataset: {sums: {samples: 200}}
  features: {question: {text: {tokens: characters, length: 7}}}
  target: {answer: {sequence: characters, feed_back: shifted}}
model:
  inputs: {sum: question, shifted: answer}
  layers:
    - embedding: {output_dim: 8, from: sum}
    - lstm: {units: 16, name: reader}
    - embedding: {output_dim: 8, from: shifted}
    - lstm: {units: 16, return_sequences: true, state_from: reader}
    - output
""",
    ),
    Meaning(
        "ctc, connectionist temporal classification, speech recognition, speech to text, handwriting recognition, ocr, "
        "text recognition, captcha",
        "`target: {number: {sequence: characters}}` with `loss: ctc` reads a text off the timesteps of the network, of "
        "which nobody tells where each item stands.",
        """\
data:
  dataset: {digit_strips: {digits: 3, samples: 200}}
  target: {number: {sequence: characters}}
model:
  - permute: [2, 1]
  - lstm: {units: 16, return_sequences: true}
  - output
train: {loss: ctc}
""",
    ),
    Meaning(
        "deep belief network, dbn, greedy pretraining, layer wise pretraining, unsupervised pretraining, "
        "boltzmann machine",
        "`pretrain` trains the layers one after the other, each on what those below it put out (Hinton et al., 2006).",
        "data: {dataset: digits, scale: min_max}\nmodel:\n  - flatten\n  - dense: {units: 32, activation: sigmoid}\n"
        "  - output\npretrain: {method: rbm, optimizer: {sgd: 0.05}}\n",
    ),
    Meaning(
        "fine tuning, transfer learning, freeze, frozen, pretrained weights, pretrained model",
        "`pretrain: {from: RUN}` takes layers of another run; `then: freeze` keeps what is pretrained as it is, and "
        "`trainable: false` any layer.",
        f"{TABLE}model:\n  - dense: {{units: 8, trainable: false}}\n  - output\n",
    ),
    Meaning(
        "weight sharing, siamese, shared layer, shared weights, tied weights",
        "`shared` uses layers again with the same weights, by their names.",
        f"{TABLE}model:\n  - dense: {{units: 4, name: h}}\n  - shared: h\n  - output\n",
    ),
    Meaning(
        "cross validation, kfold, folds, cv, n splits",
        "`folds` of `split`: everything is trained anew for each fold.",
        "data: {dataset: iris, split: {folds: 5}}\nmodel: [dense: 8, output]\n",
    ),
    Meaning(
        "train test split, validation split, test size, holdout",
        "`split` of `data`: shares of `validation` and `test`; the rest is trained on.",
        "data: {dataset: iris, split: {validation: 0.15, test: 0.15}}\nmodel: [dense: 8, output]\n",
    ),
    Meaning(
        "normalize, normalise, standardize, scaling, scaler, min max, z score",
        "`scale` of `data`, fitted on the training part: `standard`, `min_max`, `robust` or `none`.",
        "data: {dataset: iris, scale: min_max}\nmodel: [dense: 8, output]\n",
    ),
    Meaning(
        "imputation, impute, missing values, fillna, nan",
        "`missing` of `data`: `error`, `drop`, `mean`, `median` or a number.",
        "data: {dataset: iris, missing: median}\nmodel: [dense: 8, output]\n",
    ),
    Meaning(
        "augmentation, data augmentation, augment, random flip",
        "Layers such as `random_flip` and `random_rotation` at the top of `model`; they work while training alone.",
        f"{PICTURES}model:\n  - reshape: [8, 8, 1]\n  - random_translation: {{height_factor: 0.1, width_factor: 0.1}}\n"
        "  - conv2d: {filters: 8, kernel_size: 3}\n  - flatten\n  - output\n",
    ),
    Meaning(
        "class imbalance, imbalanced, class weights, oversampling, rare classes",
        "`class_weight: balanced` of `train` lets each class count the same.",
        f"{TABLE}model: [dense: 8, output]\ntrain: {{class_weight: balanced}}\n",
    ),
    Meaning(
        "regularization, weight decay, l2 penalty, l1 penalty, ridge",
        "`kernel_regularizer` of a layer, or the optimizer `adamw` with `weight_decay`.",
        f"{TABLE}model: [dense: {{units: 8, kernel_regularizer: {{l2: 0.001}}}}, output]\n"
        "train: {optimizer: {adamw: {weight_decay: 0.01}}}\n",
    ),
    Meaning(
        "learning rate, lr, step size",
        "The argument of the optimizer; `schedule` changes it while training.",
        f"{TABLE}model: [dense: 8, output]\ntrain: {{optimizer: {{adam: 0.01}}, schedule: cosine_decay}}\n",
    ),
    Meaning(
        "warmup, learning rate schedule, annealing, one cycle",
        "`schedule` of `train`; `cosine_decay` has `warmup_steps`.",
        f"{TABLE}model: [dense: 8, output]\n"
        "train: {schedule: {cosine_decay: {warmup_target: 0.01, warmup_steps: 50}}}\n",
    ),
    Meaning(
        "early stop, patience, overfitting, stop training",
        "`early_stopping` of `train` ends training when the validation loss no longer falls, and keeps the best "
        "weights.",
        f"{TABLE}model: [dense: 8, output]\ntrain: {{epochs: 200, early_stopping: {{patience: 10}}}}\n",
    ),
    Meaning(
        "gradient clipping, clip norm, exploding gradients",
        "`gradient_clipping` of `train`.",
        f"{TABLE}model: [dense: 8, output]\ntrain: {{gradient_clipping: {{norm: 1}}}}\n",
    ),
    Meaning(
        "one hot, categorical, category encoding, dummy variables",
        "Words are categories by themselves, one number each; `features: {COLUMN: category}` says so.",
        f"{TABLE}model: [dense: 8, output]\n",
    ),
    Meaning(
        "gpu, cuda, mixed precision, fp16, half precision",
        "`runtime`: `device: gpu` asks for one, `precision: mixed_float16` computes in 16 bits.",
        f"{TABLE}model: [dense: 8, output]\nruntime: {{precision: mixed_bfloat16}}\n",
    ),
    Meaning(
        "reproducible, random state, random seed, deterministic",
        "`seed` at the top level; `runtime: {deterministic: true}` makes a GPU repeat itself, too.",
        f"{TABLE}seed: 7\nmodel: [dense: 8, output]\nruntime: {{deterministic: true}}\n",
    ),
    Meaning(
        "bilstm, bigru, bidirectional lstm, birnn",
        "`bidirectional` around a recurrent layer.",
        f"{SERIES}model:\n  - bidirectional: {{lstm: 16}}\n  - output\n",
    ),
    Meaning(
        "stacked lstm, deep lstm, two lstm layers",
        "All but the last give every timestep: `return_sequences: true`.",
        f"{SERIES}model:\n  - lstm: {{units: 16, return_sequences: true}}\n  - lstm: 16\n  - output\n",
    ),
    Meaning(
        "temporal convolution, tcn, wavenet, causal convolution, dilated convolution",
        "`conv1d` with `padding: causal` and growing `dilation_rate` (van den Oord et al., 2016).",
        f"{SERIES}model:\n  - conv1d: {{filters: 16, kernel_size: 2, padding: causal, activation: relu}}\n"
        "  - conv1d: {filters: 16, kernel_size: 2, padding: causal, dilation_rate: 2, activation: relu}\n"
        "  - flatten\n  - output\n",
    ),
    Meaning(
        "multi input, several inputs, two inputs, functional api",
        "`inputs` of `model` names them with their columns; `from` says what a layer takes.",
        f"{TABLE}model:\n  inputs: {{sepal: [sepal_length, sepal_width], petal: [petal_length, petal_width]}}\n"
        "  layers:\n    - dense: {units: 4, from: sepal, name: a}\n    - dense: {units: 4, from: petal, name: b}\n"
        "    - concatenate: {from: [a, b]}\n    - output\n",
    ),
    Meaning(
        "gan, gans, gan loss, wgan, dcgan, cyclegan, stylegan, pix2pix, generative adversarial network, adversarial, "
        "adversarial loss, generator, discriminator, critic",
        "Networks that are trained against each other are no part of the language; a plugin adds an engine or a "
        f"pretraining method that trains them: {_PLUGIN}.",
    ),
    Meaning(
        "diffusion, diffusion model, ddpm, ddim, stable diffusion, latent diffusion, denoising diffusion, "
        "noise schedule, noise scheduler, score matching",
        "Diffusion models are no part of the language; a plugin adds an engine or a pretraining method that trains "
        f"them: {_PLUGIN}.",
    ),
    Meaning(
        "reinforcement learning, rl, q learning, dqn, ppo, a2c, a3c, ddpg, td3, reinforce, policy gradient, "
        "actor critic, reward, reward function, agent, gym, gymnasium, openai gym",
        "Learning by reward needs an environment, which is code, and is no part of the language; a plugin adds an "
        f"engine that trains so: {_PLUGIN}.",
    ),
    Meaning(
        "graph network, graph networks, graph neural network, gnn, gcn, gat, graph, graph conv, gcn conv, gat conv, "
        "sage conv, gin conv, graph convolution, graph attention, graphsage, message passing, adjacency, "
        "adjacency matrix, edge index, edges, cora, citeseer, pubmed",
        f"Networks on graphs are no part of the language; a plugin adds their layers and datasets: {_PLUGIN}.",
    ),
    Meaning(
        "capsule, capsules, capsule layer, capsule network, capsnet, caps, primary caps, primary capsule, "
        "primary capsules, digit caps, digit capsules, capsule routing, dynamic routing, routing, squash",
        f"Capsules are no part of the language; a plugin adds them as layers: {_PLUGIN}.",
    ),
    Meaning(
        "random forest, xgboost, lightgbm, gradient boosting, svm, knn, decision tree",
        "Networks are trained here; `baselines` compares them with simple models such as `linear`.",
        f"{TABLE}model: [dense: 8, output]\nevaluate: {{baselines: [majority, linear]}}\n",
    ),
)


def left_to_plugins(word: str) -> str | None:
    """What to do for an idea that no spec can say; None: it is not known to be one."""
    meaning = meaning_of(word)
    return meaning.text[0].lower() + meaning.text[1:].rstrip(".") if meaning and not meaning.spec else None


def meaning_of(word: str) -> Meaning | None:
    """What someone may look for by a word; None: nothing is known by it."""
    folded = bare(word)
    return next((each for each in MEANINGS if folded in {bare(name) for name in each.words.split(",")}), None)
