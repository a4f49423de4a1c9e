"""How random configurations of each layer type are drawn, one file per family of `dlspec/model/layers`.

A file has `DRAWS`: type name -> function that takes hypothesis's `draw` and returns how the layer is written and the
shapes that it is given, one for each input: `{"dense": {"units": 3}}, [(None, 8)]`. It should reach every argument that
has to do with shapes or weights, unknown sizes (None) where Keras takes them, and only what Keras takes.
"""

from importlib import import_module
from pathlib import Path

FAMILIES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in ("__init__", "common"))
DRAWS = {name: draw for family in FAMILIES for name, draw in import_module(f"tests.drawn.{family}").DRAWS.items()}
