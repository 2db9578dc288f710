"""Makes `lab` importable for the tests below this folder, and writes into the report which runtimes a test used."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lab import runtimes  # noqa: E402  the path comes first


@pytest.fixture(autouse=True)
def recorded_runtimes(record_property):
    """As an automatic fixture it begins before the others of a test and ends after them, so it has the notes of all."""
    runtimes.take()
    yield
    for one in runtimes.take():
        record_property("runtime", one)
