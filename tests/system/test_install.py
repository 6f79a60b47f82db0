"""What `make install` puts where, and what the Debian package does when it is installed."""

import re
import subprocess

import pytest

from firehosed import ROOT, clean_environment, program, run

BUILD = program("firehosed").parent


@pytest.fixture
def installed(tmp_path):
    if not (BUILD / "Makefile").exists():
        pytest.skip("the programs are not in a build folder")

    def make(target):
        command = ["make", "-s", "-C", BUILD, target, f"DESTDIR={tmp_path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return tmp_path

    make("install")
    return make


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def default_file():
    """Returns the path that firehosed reads without -c."""
    return re.search(r"-c FILE .*default: (\S+), if there is one", run("firehosed", "-h").stdout)[1]


def test_make_install_puts_a_configuration_where_firehosed_looks(installed, tmp_path):
    path = tmp_path / default_file()[1:]
    assert path.read_text() == (ROOT / "conf" / "firehosed.conf").read_text()
    path.write_text("relay = ws://my.relay\n")
    installed("install")
    assert path.read_text() == "relay = ws://my.relay\n"
    installed("uninstall")
    assert files(tmp_path) == [default_file()[1:]], "what an operator has changed stays, and nothing else"


def test_make_install_leaves_nothing_that_uninstall_does_not_take(installed, tmp_path):
    for name in ("prometheus-alerts.yml", "grafana-dashboard.json", "bash-completion/completions/firehosectl",
                 "_firehosectl", "firehosed.8", "firehosed.service"):  # fmt: skip
        assert any(path.endswith(f"/{name}") for path in files(tmp_path)), name
    completion = next(path for path in files(tmp_path) if path.endswith("completions/firehosectl"))
    assert (tmp_path / completion).read_text() == run("firehosectl", "completion", "bash").stdout
    installed("uninstall")
    assert files(tmp_path) == []


def with_default_file(text, *arguments):
    """Runs firehosed in a mount namespace, in which the folder of the default file is empty but for this text."""
    script = 'mount -t tmpfs none "${1%/*}" && printf %s "$2" >"$1" && shift 2 && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", default_file(), text, program("firehosed"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=clean_environment())


def test_default_file_is_read_unless_an_option_names_another(tmp_path):
    works = with_default_file("workers = 3\n", "-t")
    if "mount" in works.stderr or "unshare" in works.stderr:
        pytest.skip(f"no mount namespace here: {works.stderr}")
    assert works.returncode == 0, works.stderr
    wrong = with_default_file("workers = many\n", "-t")
    assert wrong.returncode == 78 and f"{default_file()}:1: " in wrong.stderr
    other = tmp_path / "other.conf"
    other.write_text("workers = 2\n")
    assert with_default_file("workers = many\n", "-t", "-c", str(other)).returncode == 0


def test_unit_makes_the_folders_that_firehosed_writes_to():
    unit = (ROOT / "conf" / "firehosed.service").read_text()
    assert re.search(r"^RuntimeDirectory=firehosed$", unit, re.M)
    assert re.search(r"^LogsDirectory=firehosed$", unit, re.M)
    assert re.search(r"^ProtectSystem=strict$", unit, re.M)
