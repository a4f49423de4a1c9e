"""Everything that a training takes, made ready: data, plan, device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.quantities import show_bytes
from dlspec.language.registry import anything_added
from dlspec.language.words import one_of
from dlspec.model.weights import LayerWeights
from dlspec.runs.checksums import check_file, read_checksums, sha256_of
from dlspec.runs.folder import Run, RunOfOutput
from dlspec.runs.names import MODEL
from dlspec.runtime.memory import free_device_memory
from dlspec.spec.other_run import find_layers_files, find_teacher, layers_taken_by, taken_layers
from dlspec.spec.outputs import graph_of_output, specs_of_outputs
from dlspec.spec.spec import Spec
from dlspec.training.plan import SampleCounts

if TYPE_CHECKING:
    from dlspec.data.datasets import Columns
    from dlspec.data.preparation import Part, Prepared
    from dlspec.data.signature import Signature
    from dlspec.model.graph import Graph
    from dlspec.runs.listener import Listener
    from dlspec.training.plan import Plan
    from dlspec.training.teaching import Answers


def load_data(spec: Spec, fold: int | None = None, note: Callable[[str], None] = lambda text: None) -> Prepared:
    """The data of a spec, split and scaled.

    Args:
        fold: see `prepare`.
        note: is told how far it got, where reading them takes long.

    Raises:
        DataError: they are not there, or not what the spec needs.
    """
    from dlspec.data.in_memory import needs_memory
    from dlspec.data.preparation import prepare, prepare_stream
    from dlspec.data.source_of import unlabeled_source
    from dlspec.data.sources.rows import TableFiles
    from dlspec.data.training_rows import deciding_source
    from dlspec.spec.signature import read_signature

    source, unlabeled = deciding_source(spec.data, spec.seed), unlabeled_source(spec.data)
    signature, problems = read_signature(spec, source.describe())
    if signature is None or any(problem.is_error for problem in problems):
        raise DataError(problems, spec.document.texts)
    if isinstance(source, TableFiles) and source.is_large and not needs_memory(spec.data, signature):
        return prepare_stream(spec.data, spec.seed, signature, source, note)
    loaded = source.load_parts(spec.seed)
    signature = replace(signature, validation_rows=loaded.validation_rows, test_rows=loaded.test_rows)
    more = unlabeled.load(spec.seed) if unlabeled else None
    return replace(prepare(spec.data, spec.seed, signature, loaded.columns, more, fold), notes=loaded.notes)


def data_of(run: Run) -> Prepared:
    """The data of a run, read again; of one of several outputs with its target, the split being that of all.

    Raises:
        DataError: they are not there, or not what the spec needs.
    """
    if isinstance(run, RunOfOutput):
        return load_data(run.whole.spec).outputs[run.name]
    return load_data(run.spec)


def load_or_tell(spec: Spec, note: Callable[[str], None] = lambda text: None) -> Prepared:
    """The data of a spec; what is wrong with them is told together with the lines that settle all of it.

    Raises:
        DataError: they are not there, or not what the spec needs.
    """
    from dlspec.runs.settling import with_lines_that_settle

    try:
        return load_data(spec, note=note)
    except DataError as error:
        raise with_lines_that_settle(spec, error, load_data) from None


def columns_as_read(spec: Spec) -> tuple[Signature, Columns]:
    """The columns before they are split, also where something in them is wrong; of a large table, its first rows.

    Raises:
        DataError: they are not there, or cannot be read at all.
    """
    from dlspec.data.in_memory import needs_memory
    from dlspec.data.preparation.streaming import SAMPLE
    from dlspec.data.sources.rows import TableFiles
    from dlspec.data.training_rows import deciding_source
    from dlspec.spec.signature import read_signature

    source = deciding_source(spec.data, spec.seed)
    signature, problems = read_signature(spec, source.describe())
    if signature is None:
        raise DataError(problems, spec.document.texts)
    if isinstance(source, TableFiles) and source.is_large and not needs_memory(spec.data, signature):
        return signature, next(iter(source.blocks(SAMPLE)))
    return signature, source.load_parts(spec.seed).columns


@dataclass(frozen=True)
class Job:
    """Everything that a training takes, ready on its device.

    Args:
        rehearsed: whether it is only tried whether all of it works.
        answers: of the network of another run, where that is the teacher; see `Trainer`.
    """

    spec: Spec
    plan: Plan
    data: Prepared
    device: str
    listener: Listener
    began: float
    taken: LayerWeights
    rehearsed: bool = False
    answers: Mapping[str, Answers] = field(default_factory=dict)

    def shortened(self) -> Job:
        """The same with two batches for each stage, one epoch of each, and no more test samples than that: to see that
        all of it works."""
        import numpy as np

        data, plan = self.data, self.plan
        most = 2 * max(stage.batch_size for stage in plan.stages)

        def chosen(count: int) -> np.ndarray:
            return np.linspace(0, count - 1, min(count, most)).astype(int)

        def some(_: str, part: Part) -> Part:
            return part if len(part) <= most else part.at(chosen(len(part)))

        short = replace(data.with_parts(some), unlabeled=data.unlabeled[:most])
        stages = tuple(replace(stage, epochs=1) for stage in plan.stages)
        once = replace(plan, stages=stages, samples=SampleCounts.of(short))
        answers = {name: own.some(chosen) for name, own in self.answers.items()}
        return replace(self, data=short, plan=once, rehearsed=True, answers=answers)


def plan_of(spec: Spec, data: Prepared) -> Plan:
    """The network that takes these data, and how it is trained.

    Raises:
        DataError: it does not fit them: the training part has other words than the whole table.
    """
    from dlspec.model.graph_builder import make_graph
    from dlspec.spec.planning import make_plan

    graph, problems = make_graph(spec.model, data.signature, spec.unrolled_at)
    if any(problem.is_error or problem.code == "network-not-found" for problem in problems):
        raise DataError(problems, spec.document.texts)
    return make_plan(spec, graph, SampleCounts.of(data), taken_layers(spec, graph))


def new_network(spec: Spec, plan: Plan, data: Prepared) -> Any:
    """The network of a plan as training begins with it, on the devices of the spec.

    Raises:
        TrainingError: it takes more memory than there is.
        DataError: a plugin builds it of what could not be opened again, or weights that others have trained are not
            there, or a text has more items than its sample has timesteps.
    """
    from dlspec.model.build import build_network, in_use
    from dlspec.model.saved import check_can_be_opened
    from dlspec.model.unfolding.giving import give_weights
    from dlspec.runs.timestep_check import check_timesteps
    from dlspec.runtime.backend import devices_of
    from dlspec.training.errors import backend_errors_in_words
    from dlspec.training.masked import leave_out_behind_end, leave_out_padding
    from dlspec.training.values import seed_everything

    seed_everything(spec.seed, "network")
    with backend_errors_in_words(spec.training, plan, plan.stages[-1], data), devices_of(spec.runtime):
        network = build_network(plan.graph, spec.name, one_input=True, precision=spec.runtime.precision)
        give_weights(network, plan.graph, spec.model)
    if anything_added():
        check_can_be_opened(in_use(network))
    for place, own in enumerate(data.outputs.values() or (data,)):
        if own.signature.target.tokens or own.signature.target.of_words:
            leave_out_padding(network, place)
    if data.signature.target.aligned:
        check_timesteps(spec, network, data)
    elif data.signature.target.written:
        leave_out_behind_end(network, data.signature.target.places[0])
    return network


def outputs_of(job: Job, network: Any) -> list[tuple[str, Job, Any]]:
    """Of a network of several outputs each of them, with the job and the network as if it were the only one; else the
    job and the network as they are."""
    from dlspec.training.several import output_networks

    if not job.data.outputs:
        return [("", job, network)]
    specs, networks = specs_of_outputs(job.spec, job.data.signature), output_networks(network, [*job.data.outputs])
    found = []
    for number, (name, own) in enumerate(job.data.outputs.items()):
        data = replace(own, notes=() if number else job.data.notes)
        graph = replace(job.plan.graph, outputs=(name,))
        plan = replace(job.plan, graph=replace(graph, layers=tuple(x for x in graph.layers if x.name in graph.reached)))
        found.append((name, replace(job, spec=specs[name], data=data, plan=plan), networks[name]))
    return found


def fingerprint_of_teacher(spec: Spec) -> str | None:
    """sha256 of the network that teaches; None: there is none."""
    folder = find_teacher(spec)
    return None if folder is None else sha256_of(folder / MODEL)


def check_unchanged(job: Job, run: Run, *, begun: bool = False) -> None:
    """Raises DataError where a run saw other data, or began with other layers of a third one.

    Args:
        begun: whether training goes on, so that layers are no longer taken.
    """
    if job.data.fingerprint != run.data.fingerprint:
        raise DataError.of(
            "data-changed",
            "the data have changed since the run was started",
            help="bring back the old data, or run the spec anew",
        )
    if run.environment.teacher_fingerprint != fingerprint_of_teacher(job.spec):
        raise DataError.of(
            "layers-changed",
            "the network of the teacher has changed since this run began",
            help="bring back that run as it was, or run the spec anew",
        )
    own = job.taken.fingerprint()
    if job.plan.taken and not begun and run.environment.taken_fingerprint not in (None, own):
        sources = one_of([f"`{source}`" for source in job.plan.taken_from])
        raise DataError.of(
            "layers-changed",
            f"the layers of {sources} have changed since this run began with them",
            help="bring back that run as it was, or run the spec anew",
        )


def compiled_as(run: Run, compiled: Sequence[str]) -> Sequence[str]:
    """The stages that were compiled by XLA in a run; where it had another backend, those of the rule."""
    import keras

    alike = run.environment.backend == keras.backend.backend()
    recorded = run.environment.compiled_by_xla if alike else None
    return compiled if recorded is None else recorded


def _sentences(warnings: Sequence[Diagnostic]) -> list[str]:
    """What the report says of warnings; of gaps the results speak themselves.

    Their order is that of their codes: a run that goes on reads another text, in which they have other places.
    """
    said = sorted(((w.code, w.message) for w in warnings if w.code != "gap-in-time"), key=lambda pair: pair[0])
    return [f"{message[:1].upper()}{message[1:]}." for _, message in said]


def find_oddities(spec: Spec, data: Prepared) -> list[Diagnostic]:
    """What is odd about the data, for the training that the spec asks for."""
    from dlspec.data.checks import check_data
    from dlspec.language.diagnostics import in_file_order
    from dlspec.model.graph_builder import make_graph
    from dlspec.spec.batches_of_classes import check_batches
    from dlspec.spec.pixels import check_pixels
    from dlspec.spec.planning import choice_by_validation

    specs = specs_of_outputs(spec, data.signature) or {"": spec}
    found: list[Diagnostic] = []
    for name, own in (data.outputs or {"": data}).items():
        weighted = specs[name].train.class_weight is not None
        checked = check_data(specs[name].data, own, weighted=weighted, chosen_by=choice_by_validation(spec))
        found += (problem for problem in checked if problem not in found)
    found += check_batches(spec, data)
    if spec.model.application is None:
        return found
    graph, _ = make_graph(spec.model, data.signature, spec.unrolled_at)
    return in_file_order([*found, *check_pixels(spec, graph, data)])


def checked_data(spec: Spec, data: Prepared) -> list[Diagnostic]:
    """What is odd about the data.

    Raises:
        DataError: the network cannot be trained on them.
    """
    found = find_oddities(spec, data)
    if any(problem.is_error for problem in found):
        raise DataError(found, spec.document.texts)
    return found


def too_large(
    spec: Spec, plan: Plan, samples: SampleCounts | None, free: int | None, there: str = "{} are free"
) -> list[Diagnostic]:
    """What to say of stages that take more memory than is free, by estimate.

    Args:
        samples: as many as there are; None: that is not known.
        free: bytes; None where that is not known.
        there: how that is said.
    """
    from dlspec.training.estimates import count_of, fit, smaller_batch

    found: dict[tuple[str | int, ...], Diagnostic] = {}
    for stage in plan.stages if free is not None else ():
        assert free is not None, "without it there are no stages to look at"
        batch = min(stage.batch_size, count_of(stage, samples)) if samples else stage.batch_size
        own = fit(spec.training, plan.graph, stage, batch, free)
        if own.needed > own.free and stage.set_at not in found:
            key = (*stage.set_at, "batch_size")
            found[stage.set_at] = Diagnostic(
                "too-little-memory",
                f"`{stage.name}` takes about {show_bytes(own.needed)} with a batch of {own.batch_size:,}, and "
                + there.format(show_bytes(own.free)),
                spec.span(*key) if spec.is_written(*key) else spec.key_span("model"),
                Severity.WARNING,
                help=smaller_batch(stage, own),
            )
    return list(found.values())


def make_ready(spec: Spec, listener: Listener | None) -> Job:
    """Reads the data and loads the backend, in this order: mistakes in data are said at once."""
    from dlspec.runs.listener import Listener
    from dlspec.runs.mask_check import check_masks
    from dlspec.runs.past_check import check_graph
    from dlspec.runtime.backend import choose_device, copied_to, make_deterministic

    began = time.time()
    listener = listener or Listener()
    data = load_or_tell(spec, listener.note)
    warnings = checked_data(spec, data)
    listener.warns(warnings, spec.document.texts)
    data = replace(data, notes=(*data.notes, *_sentences(warnings)))
    plan = plan_of(spec, data)
    for name, own in (data.outputs or {plan.graph.outputs[0]: data}).items():
        check_graph(spec, graph_of_output(plan.graph, name).to_first_output, own)
    check_masks(spec, plan.graph, data)
    listener.begins(spec, plan, data)
    device = choose_device(spec.runtime)
    make_deterministic(spec.runtime)
    listener.ready(device)
    several = spec.runtime.distribute is not None and len(copied_to(spec.runtime)) > 1
    if spec.runtime.distribute is not None and not several:
        listener.note("`distribute` finds one device, on which the network is trained as without it")
    if not several:
        listener.warns(too_large(spec, plan, SampleCounts.of(data), free_device_memory()), spec.document.texts)
    if spec.runtime.precision != "float32" and device.startswith("CPU"):
        listener.note(f"`precision: {spec.runtime.precision}` makes training slower on a CPU")
    job = Job(spec, plan, data, device, listener, began, _layers_of(spec, plan.graph))
    if spec.train.teacher is None:
        return job
    from dlspec.runs.taught import answers_of

    listener.note("asking the teacher")
    return replace(job, answers=answers_of(spec, data))


def _layers_of(spec: Spec, graph: Graph) -> LayerWeights:
    """Those that other runs left; their files must be what was written."""
    found, files = LayerWeights(), find_layers_files(spec)
    for entry, source in files:
        checksum = read_checksums(source.parent).get(source.name)
        if checksum is not None:
            check_file(source, checksum)
        left = LayerWeights.load(source)
        if len(files) == 1:
            return left
        names = layers_taken_by(spec, graph, entry)
        found.layers |= {name: left.layers[name] for name in names}
        found.decoders |= {name: left.decoders[name] for name in names if name in left.decoders}
    return found
