"""Whole-system tests: real processes, a real Redis, and a relay that can do anything. Tests use tests/lib/lab.py."""

import shutil
import signal
import tempfile

import pytest

from certificates import Certificates
from decoder import Decoder
from lab import Lab


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module", params=["compat", "extended"])
def decoder(request):
    """One process a module, for each of the two formats."""
    decoder = Decoder(*(["--extended"] if request.param == "extended" else []))
    yield decoder
    decoder.close()


@pytest.fixture
def lab(request):
    # Not tmp_path of pytest: the path of a unix socket may have about 100 bytes.
    directory = tempfile.mkdtemp(prefix="firehosed-test-")
    lab = Lab(directory, lambda: request.getfixturevalue("certificates"))
    request.node.lab = lab
    try:
        yield lab
        if not getattr(request.node, "has_failed", False):
            lab.end_in_order()
    finally:
        lab.close()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the ends of the logs to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.has_failed = True
        lab = getattr(item, "lab", None)
        if lab is not None:
            report.sections += lab.report()


def pytest_configure():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
