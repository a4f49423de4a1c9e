"""How a value looks in a Jupyter notebook: what draws it is loaded when a notebook asks."""

from __future__ import annotations

from importlib import import_module

DRAWN_BY = "dlspec.views.notebooks"
"""The module with the function `to_html`, by its name: it imports the classes that it draws."""


class InNotebooks:
    """A class whose values `views.notebooks` draws."""

    def _repr_html_(self) -> str:
        """HTML for IPython and Jupyter."""
        drawn: str = import_module(DRAWN_BY).to_html(self)
        return drawn
