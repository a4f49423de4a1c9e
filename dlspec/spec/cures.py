"""What to write in place of what someone wrote who knows other tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from dlspec.data.datasets import DATASETS
from dlspec.data.features import FEATURES
from dlspec.language.words import bare, same
from dlspec.language.yaml import read_text, to_inline_yaml
from dlspec.language.yaml.scalars import resolve_scalar
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.layers import LAYERS
from dlspec.spec.meanings import left_to_plugins, meaning_of
from dlspec.spec.other_words import KEYS, MERGING, REST, VALUES
from dlspec.training.optimizers import OPTIMIZERS

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
        said = (word for word in (wrong.names[-1], value) if isinstance(word, str))
        return _of_key(wrong) or next(filter(None, map(left_to_plugins, said)), None)
    found = next(filter(None, (rule(wrong) for rule in _RULES)), None)
    return found or _of_value(wrong) or _of_idea(wrong)


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
    kept = ((same(word, ("units", *_KEPT)), one) for word, one in arguments.items())
    arguments = {word: one for word, one in kept if word}
    short: Any = arguments["units"] if [*arguments] == ["units"] else dict(arguments)
    if key == "bidirectional":
        return f"write `bidirectional: {{{to_inline_yaml({name: short})}}}`"
    every = to_inline_yaml({name: {**arguments, "return_sequences": True}})
    return f"write a layer for each, `- {every}` above `- {to_inline_yaml({name: short})}`"


def _dataset_with(key: str, wrong: _Wrong) -> str | None:
    """`{dataset: spirals, samples: 500}`, where the key is one of the dataset."""
    name = wrong.siblings.get("dataset")
    dataset = DATASETS.get(name)
    keys = dataset.keys() if dataset else {}
    if key not in keys:
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


def _of_idea(wrong: _Wrong) -> str | None:
    """What to do for a name that stands for what no spec can say."""
    if not wrong.kind.startswith("unknown-"):
        return None
    given = wrong.path[-1] if isinstance(wrong.value, dict) else wrong.value
    return left_to_plugins(given) if isinstance(given, str) else None


def _of_layer(wrong: _Wrong, word: str) -> str | None:
    """What to write for the name of a layer that is another tool's, or for an idea that has no word of its own."""
    given = wrong.path[-1]
    name, behind = word, None
    if isinstance(given, str):
        name, behind = given, wrong.value.get(given) if isinstance(wrong.value, dict) else wrong.value
    found = _found(VALUES["layer"], name, name, behind if isinstance(behind, int) else "…")
    if found is None and not same(name, LAYERS) and meaning_of(name):
        if left := left_to_plugins(name):
            return left
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
        return f"{REST}; leave `train` out"
    half = f"{(1 - share) / 2:.4g}"
    return f"{REST}: `{{validation: {half}, test: {half}}}`"


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
    inside = wrong.names[-1] in ("units", "filters", "axis") and len(wrong.names) > 2
    name = wrong.names[-2] if inside else wrong.names[-1]
    kind = LAYERS.get(name)
    if kind is not None and kind.primary() is None:  # `clip: [0, 1]`
        keys = [key for key, field in kind.fields_in_order().items() if field.is_required()]
        shown = to_inline_yaml({name: dict(zip(keys, sizes, strict=False))})
        return f"write `{shown}`" if len(keys) == len(sizes) else None
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
