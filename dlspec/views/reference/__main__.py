"""`python -m dlspec.views.reference docs/reference` writes the reference, and the list of where classes stand."""

import sys
from pathlib import Path

from dlspec.runtime.files import write_text
from dlspec.views.reference.class_homes import FILE, homes_text
from dlspec.views.reference.pages import write_pages

if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
    write_text(FILE, homes_text())
