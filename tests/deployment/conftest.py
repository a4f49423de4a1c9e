"""Networks that the tests of exports share."""

import os
from contextlib import ExitStack
from functools import cache

import pytest
from filelock import FileLock

import dlspec
from tests.deployment.networks import trained, write_data
from tests.deployment.servers import serving


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """A finished run of one of `networks.SPECS_BY_NAME`, trained once for all workers."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "networks"
    home.mkdir(exist_ok=True)
    with FileLock(home / "data.lock"):
        if not (home / "table.csv").exists():
            write_data(home)

    @cache
    def finished(name):
        with FileLock(home / f"{name}.lock"):
            return trained(name, home)

    return finished


@pytest.fixture(scope="session")
def exported(network, tmp_path_factory):
    """The ONNX file of one of these networks, exported once in each worker."""
    home = tmp_path_factory.mktemp("exported")

    def exported(name):
        file = home / f"{name}.onnx"
        if not file.exists():
            dlspec.export(network(name), out=file)
        return file

    return exported


@pytest.fixture(scope="session")
def server(exported, tmp_path_factory):
    """A server of one of these networks, started once in each worker."""
    home = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:

        @cache
        def started(name):
            return stack.enter_context(serving(exported(name), home=home))

        yield started
