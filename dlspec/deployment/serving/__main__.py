"""`python -m serving model.onnx`: what the image of `dlspec export --format docker` runs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .model import CannotOpen, open_onnx
from .server import CannotListen, serve
from .settings import Settings, WrongSettings


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser("serving", description="Serves an exported network.")
    parser.add_argument("file", type=Path, help="the ONNX file, beside which its signature stands")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"))
    given = parser.parse_args()
    try:
        settings = Settings(given.host, given.port, os.environ.get("DLSPEC_TOKEN") or None)
        serve(lambda: open_onnx(given.file), settings, say)
    except (CannotOpen, CannotListen, WrongSettings) as error:
        sys.stderr.write(f"error: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
