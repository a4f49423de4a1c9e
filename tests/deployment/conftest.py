"""Networks that the tests of exports share."""

import pytest

from tests.deployment.networks import trained, write_data


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """A finished run of one of `networks.SPECS_BY_NAME`, trained once in each worker."""
    home = tmp_path_factory.mktemp("networks")
    write_data(home)
    return lambda name: trained(name, home)
