"""`python -m dlspec.views.reference docs/reference` writes the reference."""

import sys
from pathlib import Path

from dlspec.views.reference.pages import write_pages

if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
