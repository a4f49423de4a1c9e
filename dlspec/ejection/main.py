"""`main`: what is done one after the other, with the functions of the sections."""

from __future__ import annotations

from dataclasses import dataclass

from dlspec.ejection.data import part_names, takes_unlabeled
from dlspec.ejection.preprocessing import outputs_source
from dlspec.ejection.pretraining import pretraining_needs
from dlspec.ejection.prose import define
from dlspec.ejection.python import Code, literal
from dlspec.ejection.script import FITTED, HERE, OF_FOLDS, Script, of_spec
from dlspec.ejection.subject import Subject
from dlspec.ejection.training import has_validation


@dataclass(frozen=True)
class Main:
    """The statements of `main`.

    Args:
        arguments: of `main`, with their defaults.
    """

    lines: tuple[str, ...]
    arguments: str = ""

    @property
    def text(self) -> str:
        """The function, and what calls it."""
        body = "\n".join(f"    {of_spec(line)}" if line else "" for line in self.lines)
        return f'def main({self.arguments}):\n{body}\n\n\nif __name__ == "__main__":\n    main()'


def write_main(script: Script, subject: Subject) -> Main:
    """`prepared`, and of a comparison `without_pretraining`; returns `main`."""
    _write_prepared(script, subject)
    seed = script.constant("seed", subject.spec.seed, "data", subject.line("seed") or "by default")
    begin = [*_settings(script, subject), f"keras.utils.set_random_seed({seed})"]
    if len(subject.folds) > 1:
        lines = _of_folds(script, subject)
    else:
        lines = [*_parts(subject), *_training(script, subject), *_results(script, subject)]
    if subject.spec.evaluate.compare is not None and (subject.plan.pretraining or subject.plan.taken):
        lines += _comparison(script, subject, seed)
    if subject.spec.evaluate.require:
        lines.append("require(results)")
    for what, there in (
        ("`track` of `runtime`: no tracker is told of the training", subject.spec.runtime.track),
        ("`distribute`: the network is trained on one device", subject.spec.runtime.distribute),
    ):
        if there:
            script.leave_out(what)
    return Main((*begin, *lines))


def _write_prepared(script: Script, subject: Subject) -> None:
    seen = outputs_source(script, subject, "preprocessing", "x")
    if subject.target.kind != "input":
        lines = [f"return {seen}, network_targets(x, y)"]
        about = "What the network sees of a part, and what it is to put out."
        define(script, "preprocessing", "prepared(preprocessing, x, y)", about, lines)
        return
    shape = subject.graph.output_shape or ()
    reshaped = f".reshape({', '.join(map(str, (-1, *shape[1:])))})" if len(shape) > 2 else ""
    lines = [f"seen = {seen}", f"return seen, network_targets(seen, None){reshaped}"]
    about = "What the network sees of a part, which it is to give back."
    define(script, "preprocessing", "prepared(preprocessing, x, y)", about, lines)


def _settings(script: Script, subject: Subject) -> list[str]:
    """What `runtime` says."""
    runtime = subject.spec.runtime
    lines = []
    if runtime.precision != "float32":
        line = subject.line("runtime", "precision")
        lines.append(f"keras.config.set_dtype_policy({literal(runtime.precision)})  # {line}")
    if runtime.deterministic:
        script.imports["tf"] = "import tensorflow as tf"
        line = subject.line("runtime", "deterministic")
        lines.append(f"tf.config.experimental.enable_op_determinism()  # {line}")
    if runtime.device == "cpu":
        script.leave_out('`device: cpu`: write `with keras.device("cpu"):` around what is to stay there')
    return lines


def _parts(subject: Subject) -> list[str]:
    """The parts of the data, as the network sees them."""
    names = part_names(subject)
    fold = "fold" if len(subject.folds) > 1 else ""
    lines = [f"{', '.join(names)} = load_parts({fold})", "preprocessing = build_preprocessing()"]
    lines.append("x, y = prepared(preprocessing, *train)")
    if has_validation(subject):
        lines.append("held_out = prepared(preprocessing, *validation)")
    return lines


def _training(script: Script, subject: Subject) -> list[str]:
    """From the network to its training."""
    lines = ["network = build_network()"]
    if subject.plan.pretraining or subject.plan.taken:
        seen = _seen_by_pretraining(script, subject)
        if seen != "x":
            lines.append(f"everything = {seen}  # with and without labels")
            seen = "everything"
        lines.append(f"pretrain({', '.join(['network', seen, *_needs(subject)])})")
    lines.append(f"train_network(network, x, y{', held_out' if has_validation(subject) else ''})")
    return lines


def _needs(subject: Subject) -> list[str]:
    needs = pretraining_needs(subject)
    return [need if need != "held_out" or "y" in needs else "held_out[0]" for need in needs]


def _seen_by_pretraining(script: Script, subject: Subject) -> str:
    """The training part, and what has no labels."""
    if "y" in pretraining_needs(subject):
        return "x"
    others = ["unlabeled[0]"] if "unlabeled" in part_names(subject) else []
    others += ["load_unlabeled()"] if takes_unlabeled(subject) else []
    more = [outputs_source(script, subject, "preprocessing", other) for other in others]
    return f"np.concatenate([{', '.join(['x', *more])}])" if more else "x"


def _results(script: Script, subject: Subject) -> list[str]:
    """What is saved, and what comes out."""
    file = literal(f"{script.name}.keras")
    return [
        "model = with_preprocessing(preprocessing, network)",
        f"model.save({HERE} / {file})",
        "results = evaluate(model, preprocessing, train, test)"
        if subject.spec.evaluate.require or (subject.spec.evaluate.compare and subject.plan.pretraining)
        else "evaluate(model, preprocessing, train, test)",
    ]


def _of_folds(script: Script, subject: Subject) -> list[str]:
    """The network is trained anew for each fold, and what comes out is a mean."""
    number, shown = len(subject.folds), subject.spec.data.split.shown_fold
    line = subject.line("data", "split")
    print_means = script.use("folds", "print_means", "evaluate")
    save = f"model.save({HERE} / {literal(f'{script.name}.keras')})"
    inner = [
        *([f"{FITTED}.update({OF_FOLDS}[fold])"] if script.fitted else []),
        *_parts(subject),
        *_training(script, subject),
        "model = with_preprocessing(preprocessing, network)",
        *([f"if fold == {shown}:", f"    {save}"] if shown < number - 1 else []),
        "results.append(evaluate(model, preprocessing, train, test))",
    ]
    return [
        "results = []",
        f"for fold in range({number}):{f'  # {line}' if line else ''}",
        *(f"    {each}" for each in inner),
        *([f"{save}  # that of the last fold"] if shown == number - 1 else []),
        "for who in results[0]:",
        f"    {print_means}(who, [scores[who] for scores in results])",
    ]


def _comparison(script: Script, subject: Subject, seed: Code) -> list[str]:
    """The same network with and without pretraining, by several seeds."""
    compare = subject.spec.evaluate.compare
    assert compare is not None, "something is compared"
    seeds = compare.without_pretraining.seeds
    line = subject.line("evaluate", "compare")
    print_means = script.use("folds", "print_means", "evaluate")
    training = [each for each in _training(script, subject) if not each.startswith("everything")]
    at_once = _at_once(script, subject)
    if seeds > 1 and (subject.spec.data.labels is not None or _parts_are_drawn(subject)):
        script.leave_out("`compare` with other parts of the data for each seed: all seeds have those of the first")
    predict = "predict(model, preprocessing, test[0])" if subject.target.kind == "input" else "predict(model, test[0])"
    truth = "flat_inputs(preprocessing, test[0])" if subject.target.kind == "input" else "test[1]"
    lines = [
        f"for pretrained in (True, False):  # {line}",
        '    found = [results["network"]] if pretrained else []  # what was trained above is one of them',
        f"    for seed in range({seed} + len(found), {seed} + {seeds}):",
        "        keras.utils.set_random_seed(seed)",
    ]
    for each in training:
        inner = ["if pretrained:", f"    {each}"] if each.startswith("pretrain(") else [each]
        if at_once and each.startswith("train_network("):
            inner = [f"    {each}", "else:", f"    {at_once}"]
        lines += [f"        {one}" for one in inner]
    return [
        *lines,
        "        model = with_preprocessing(preprocessing, network)",
        f"        found.append(score({truth}, {predict}))",
        f'    {print_means}("with pretraining" if pretrained else "without pretraining", found)',
    ]


def _at_once(script: Script, subject: Subject) -> str:
    """What trains all layers from a random start, where `train_network` leaves some as pretraining made them."""
    held = ", held_out" if has_validation(subject) else ""
    epochs = script.constant("epochs", subject.spec.train.epochs, "train")
    return f"fit(network, x, y{held}, {epochs})" if subject.plan.frozen else ""


def _parts_are_drawn(subject: Subject) -> bool:
    """Whether other seeds have other parts."""
    split = subject.spec.data.split
    return split.drawn and (split.by in ("random", "stratified") or (split.by is None and not subject.is_series))
