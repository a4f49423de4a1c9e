"""What the page asks for: a module for each subject, each with a list `ROUTES`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from dlspec.studio.routes import compared, data, page, pictures, runs, specs, stream, takes, tries

ROUTES: list[BaseRoute] = [
    *page.ROUTES, *specs.ROUTES, *runs.ROUTES, *stream.ROUTES, *pictures.ROUTES, *data.ROUTES, *compared.ROUTES,
    *tries.ROUTES, *takes.ROUTES,
]  # fmt: skip
