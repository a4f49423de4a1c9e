"""`python -m dlspec` is the command `dlspec`."""

from dlspec.cli import main

main()
