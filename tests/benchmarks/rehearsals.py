"""How long a rehearsal of each spec takes, beside importing what trains.

python -m tests.benchmarks.rehearsals [SPEC...]
"""

import sys
import time
from pathlib import Path

import dlspec
from dlspec.language.diagnostics.errors import DiagnosticError

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


def main() -> None:
    began = time.monotonic()
    dlspec.rehearse("dlspec: 1\ndata: {dataset: {spirals: {samples: 60}}}\nmodel: [output]\n")
    print(f"{time.monotonic() - began:6.1f} s  the first, with all imports")
    for spec in [*map(Path, sys.argv[1:])] or SPECS:
        try:
            print(f"{dlspec.rehearse(spec):6.1f} s  {spec.stem}", flush=True)
        except DiagnosticError as error:
            print(f"     –    {spec.stem}: {error.diagnostics[0].message}", flush=True)


if __name__ == "__main__":
    main()
