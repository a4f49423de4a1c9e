"""What the files of a run folder are called; `model.weights` names those of layers and the resolved spec."""

SPEC, STATE, EVENTS, STOP = "spec.yaml", "state.json", "events.jsonl", ".stop"
ENVIRONMENT, DATA = "environment.json", "data.json"
HISTORY, METRICS, PREDICTIONS, SAMPLES = "history.csv", "metrics.json", "predictions.csv", "samples.npz"
MODEL, PICTURES, REPORT = "model.keras", "pictures.npz", "report.html"
TRAINING_PICTURES = "pictures"
COMPARISON, FOLDS = "checkpoints/comparison.json", "checkpoints/folds.json"
WRITTEN_ANEW = (REPORT, STATE, EVENTS)
"""Files that may be written again once a run is finished, so that `SHA256SUMS` does not list them."""


def file_of(name: str, output: str) -> str:
    """What a file is called that is about one output of several, `predictions.width.csv`; of the first, which has no
    name here, as without."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{output}.{ending}" if output else name
