"""Which known word was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

SYNONYMS: Mapping[str, str] = {
    # keys of layers
    "act nonlinearity transferfunction": "activation",
    "bias": "use_bias",
    "channels outchannels nfilters numfilters featuremaps maps": "filters",
    "dilation": "dilation_rate",
    "dim embeddim embeddingdim embeddingsize": "output_dim key_dim",
    "dropoutrate p prob probability": "rate",
    "filtersize kernel kernelsz": "kernel_size",
    "heads nheads nhead": "num_heads",
    "hidden hiddendim hiddensize hiddenunits neurons nneurons nodecount nodes numunits nunits outdim outfeatures "
    "outputdim outputs outputsize unit width": "units",
    "init initializer initialization weightinit kernelinit": "kernel_initializer",
    "inputs input inputfrom bottom": "from",
    "beta klweight klfactor": "kl",
    "poolingsize windowsize": "pool_size",
    "reparameterize reparameterization reparametrize reparametrization gaussiansampling latentsampling": "sampling",
    "regularizer regularization": "kernel_regularizer",
    "returnseq": "return_sequences",
    "size": "units length pool_size",
    "stride": "strides",
    "vocab vocabsize vocabulary numembeddings": "input_dim",
    # layers
    "affine fc fullyconnected hidden innerproduct linear mlp perceptron": "dense",
    "attentionlayer mha multiheadattention selfattention": "multi_head_attention",
    "avgpool avgpooling": "average_pooling2d",
    "avgpool1d": "average_pooling1d",
    "avgpool2d": "average_pooling2d",
    "bn batchnorm batchnorm1d batchnorm2d": "batch_normalization",
    "cat concat": "concatenate",
    "classifier final head logits prediction predictions readout softmaxlayer": "output",
    "conv convolution convolution2d": "conv2d",
    "convtranspose deconv deconvolution": "conv2d_transpose",
    "embed": "embedding",
    "gap globalavgpool globalpool": "global_average_pooling2d",
    "layernorm ln": "layer_normalization",
    "maxpool pool pooling": "max_pooling2d",
    "maxpool1d": "max_pooling1d",
    "maxpool2d": "max_pooling2d",
    "rnn vanillarnn elman": "simple_rnn",
    "unflatten view": "reshape",
    # activations
    "identity": "linear",
    "lrelu leaky": "leaky_relu",
    "logistic sigm": "sigmoid",
    "swish": "silu",
    # initializers
    "he kaiming": "he_normal",
    "glorot xavier": "glorot_uniform",
    "normal gaussian": "random_normal",
    "uniform": "random_uniform",
    # sections and their keys
    "config maxparameters maxparams numparams params": "parameters",
    "csv dataframe": "table",
    "k cv nsplits kfolds kfold nfolds crossvalidation": "folds",
    "horizonsteps ahead stepsahead leadtime forecast forecasthorizon": "horizon",
    "<< inherits base": "extends",
    "label": "target",
    "lags lookback seqlen sequencelength timesteps inputlength past history": "length",
    "layers network net architecture": "model",
    "lr eta stepsize": "learning_rate",
    "pretraining": "pretrain",
    "testsize testsplit testratio": "test",
    "training fit": "train",
    "val valid validationsize validationsplit valsplit": "validation",
    "vars": "variables",
    # data
    "continuous double float integer number real int": "numeric",
    "categorical enum factor nominal onehot": "category",
    "datetime date timestamp": "time",
    "object string str": "category text",
    "regression continuousvalue": "numeric",
    "classification classes binary": "category",
    "sequential ordered chronological": "order",
    "shuffle shuffled": "random",
    "diff": "difference",
    "pctchange returns": "return",
    # training
    "bs minibatch perdevicetrainbatchsize trainbatchsize": "batch_size",
    "cost costfunction criterion objective lossfunction lossfn": "loss",
    "delta tolerance": "min_delta",
    "eps": "epsilon",
    "gd gradientdescent stochasticgradientdescent": "sgd",
    "iterations maxepochs maxiter nbepoch nepochs numepochs numtrainepochs": "epochs",
    "maxnorm clipnorm": "norm",
    "metric": "metrics monitor",
    "optim solver": "optimizer",
    "quantity": "monitor",
    "rounds nepochsnochange niternochange": "patience",
    "earlystop": "early_stopping",
    "scheduler lrschedule lrscheduler": "schedule",
    # pretraining
    "ae": "autoencoder",
    "boltzmann boltzmannmachine dbn deepbeliefnetwork": "rbm",
    "cd cdk gibbs k": "gibbs_steps",
    "dae denoising": "denoising_autoencoder",
    "noise": "corruption gaussian_noise",
    # evaluation
    "auroc rocauc": "auc",
    "cm": "confusion_matrix",
    "f1macro fscore fmeasure": "f1_score",
    "scoring scores": "metrics",
    "average avg": "mean",
    "last lastvalue": "persistence",
    "mostfrequent mode": "majority",
    "logistic logisticregression linearregression ridge logreg": "linear",
    # runtime
    "cuda nvidia cuda0 gpu0": "gpu",
    "loadiris": "iris",
    "loaddigits": "digits",
    "loadwine": "wine",
    "dtype": "precision",
}
"""Words of other tools and of people, small and without `_` -> ours, of which the first known one is meant."""

_CALLED = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?:\(\))?")


@lru_cache(maxsize=1 << 16)
def bare(word: str) -> str:
    """A word without what spellings differ in: case, `_`, `-`, blanks and other signs."""
    return re.sub(r"[\W_]", "", word).lower() or word


def _by_word() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for theirs, ours in SYNONYMS.items():
        for word in theirs.split():
            found.setdefault(word, []).extend(ours.split())
    return found


_OURS = _by_word()


def within(path: Sequence[str | int]) -> str:
    """Where a message says that a key is to be written: under a section, or in an entry of it."""
    section, *entry = path
    return f"in entry {int(entry[0]) + 1} of `{section}`" if entry else f"under `{section}`"


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word of the language that `word` was probably meant to be: another tool's, or a misspelt one."""
    return _nearest(word, tuple(words))


@lru_cache(maxsize=1 << 16)  # of a wrong key it is asked several times, and a file may have many
def _nearest(word: str, known: tuple[str, ...]) -> str | None:
    return same(word, known) or alike(word, known)


def same(word: str, words: Iterable[str]) -> str | None:
    """The word of the language that another tool's word stands for, or that is written a little otherwise."""
    known = list(words)
    called = _CALLED.fullmatch(word)
    for each in dict.fromkeys((word, called[1] if called else word)):  # `relu` of `tf.nn.relu` and `nn.ReLU()`
        folded = bare(each)
        ours = next((name for name in known if bare(name) == folded), None)
        ours = ours or next((name for name in _OURS.get(folded, ()) if name in known), None)
        if ours:
            return ours
    return None


def alike(word: str, names: Iterable[str]) -> str | None:
    """The name, of those that someone gave to columns, layers or files, that `word` was probably meant to be."""
    known = list(names)
    folded, letters = bare(word), sorted(word.lower())
    found = [name for name in known if bare(name) == folded]
    found = found or [name for name in known if len(name) == len(letters) and sorted(name) == letters]  # `adma`: `adam`
    found = found or get_close_matches(word.lower(), known, n=1, cutoff=0.66)
    return found[0] if found else None


def did_you_mean(
    word: str,
    words: Iterable[str],
    *,
    otherwise: str | None = None,
    find: Callable[[str, Iterable[str]], str | None] = alike,
) -> str | None:
    """Help that offers the word which `find` finds, or lists all of them when they are few."""
    known = list(words)
    near = find(word, known)
    if near:
        return f"did you mean `{near}`?"
    if otherwise is None and 0 < len(known) <= 12:
        return f"known are {one_of(known)}"
    return otherwise


def one_of(words: Iterable[Any], *, last: str = "and") -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"
