"""What the commands do, as functions: load, look, build, run, predict.

Run it with: python examples/quickstart.py
"""

from pathlib import Path

import dlspec

SPEC = Path(__file__).parent.parent / "specs" / "lstm_stock.yaml"

# Load: every mistake at once, each on its line (dlspec.SpecError), and nothing of TensorFlow yet.
spec = dlspec.load(SPEC, overrides={"train.epochs": 5, "pretrain.epochs": 3})

# Look: layers with shapes and parameters, and the stages of training.
graph = dlspec.graph(spec)
for layer in graph.layers:
    print(f"{layer.name:12} {layer.output_shape!s:20} {layer.parameters:7,} parameters")
print("stages:", ", ".join(stage.name for stage in dlspec.plan(spec).stages))

# Build: an ordinary keras.Model, untrained.
model = dlspec.build(spec)
assert model.count_params() == graph.parameters

# Run: pretrain, train, evaluate, and write the run folder.
run = dlspec.run(spec)
print(run.metrics.verdict.sentence)
print("test:", run.metrics.test)

# Predict from raw rows: columns by name, timesteps in order. Here the last weeks of the data themselves.
prices = spec.data.dataset.load(spec.seed)
rows = {name: values[-40:] for name, values in prices.items() if name != "date"}
print(run.predict(rows).tail(3))

# Open it again later, from anywhere.
again = dlspec.open_run(run.folder)
print(again.folder / "report.html")
