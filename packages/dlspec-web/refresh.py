"""Takes the files of this package out of the npm archive of onnxruntime-web, and prints their hashes."""

from __future__ import annotations

import gzip
import hashlib
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent / "dlspec_web"
SCRIPT, MODULE = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"


def refresh(archive: Path) -> None:
    """Writes both files.

    Args:
        archive: `onnxruntime-web-<version>.tgz`.
    """
    with tarfile.open(archive) as opened:
        script, module = (opened.extractfile(f"package/dist/{name}").read() for name in (SCRIPT, MODULE))  # type: ignore[union-attr]
    packed = gzip.compress(module, 9, mtime=0)
    (HERE / SCRIPT).write_bytes(script)
    (HERE / f"{MODULE}.gz").write_bytes(packed)
    print(f'VERSION = "{archive.stem.rpartition("-")[2]}"')
    for name, data in (
        ("ARCHIVE", archive.read_bytes()),
        (SCRIPT, script),
        (MODULE, module),
        (f"{MODULE}.gz", packed),
    ):
        print(f"{name}: {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    refresh(Path(sys.argv[1]))
