"""What the page asks for: a module for each subject, each with a list `ROUTES`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from dlspec.studio.routes import page, pictures, runs, specs, stream

ROUTES: list[BaseRoute] = [*page.ROUTES, *specs.ROUTES, *runs.ROUTES, *pictures.ROUTES, *stream.ROUTES]
