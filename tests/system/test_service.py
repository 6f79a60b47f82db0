"""Under a service manager: the messages over NOTIFY_SOCKET, and the unit file."""

import os
import re
import shutil
import socket
import subprocess

import pytest

from firehosed import ROOT
from waiting import wait_for


class Manager:
    """The socket that a service manager listens on."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path) if not str(path).startswith("@") else "\0" + str(path)[1:])
        self.socket.setblocking(False)
        self.told = []

    def hears(self, line):
        def so():
            try:
                while True:
                    self.told += self.socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return any(re.fullmatch(line, told) for told in self.told)

        wait_for(so, lambda: f"{line!r} among {self.told}")


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path / "notify.sock")
    yield made
    made.socket.close()


def test_service_manager_is_told_start_state_and_end(lab, manager):
    s = lab.system(start=False)
    s.daemon.environment["NOTIFY_SOCKET"] = str(manager.path)
    s.daemon.start()
    manager.hears("READY=1")
    s.more(100)
    s.assert_all()
    manager.hears(r"STATUS=relay 127\.0\.0\.1: up, redis: ready, cursor: \d+, \d+ events")
    s.daemon.stop()
    manager.hears("STOPPING=1")


def test_cursor_is_told_before_anything_is_committed_after_a_restart(lab, manager):
    s = lab.system()
    s.more(100)
    s.assert_all()
    s.daemon.stop()
    s.daemon.environment["NOTIFY_SOCKET"] = str(manager.path)
    s.daemon.start()
    manager.hears(f"STATUS=relay .*, cursor: {s.events[-1].seq}, 0 events")


def test_ready_is_told_though_redis_and_relay_are_absent(lab, manager):
    daemon = lab.firehosed(relay="ws://127.0.0.1:1", redis="redis://127.0.0.1:1")
    daemon.environment["NOTIFY_SOCKET"] = str(manager.path)
    daemon.start()
    manager.hears("READY=1")


def test_watchdog_is_fed_as_often_as_it_asks_for(lab, manager):
    s = lab.system(start=False)
    s.daemon.environment.update(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC="2000000")
    s.daemon.start()
    manager.hears("WATCHDOG=1")
    manager.told.clear()
    manager.hears("WATCHDOG=1")


def test_watchdog_of_another_process_is_not_fed(lab, manager):
    s = lab.system(start=False)
    s.daemon.environment.update(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC="1000000", WATCHDOG_PID="1")
    s.daemon.start()
    manager.hears("READY=1")
    s.more(10)
    s.assert_all()
    manager.hears(r"STATUS=relay .* up.*")
    assert "WATCHDOG=1" not in manager.told


def test_abstract_socket_is_reached(lab):
    manager = Manager(f"@firehosed-test-{os.getpid()}")
    s = lab.system(start=False)
    s.daemon.environment["NOTIFY_SOCKET"] = str(manager.path)
    s.daemon.start()
    manager.hears("READY=1")
    manager.socket.close()


@pytest.mark.parametrize("path", ["/nonexistent/notify.sock", "relative", "@", "/" + "x" * 200])
def test_service_manager_that_cannot_be_reached_is_no_trouble(lab, path):
    s = lab.system(start=False)
    s.daemon.environment["NOTIFY_SOCKET"] = path
    s.daemon.start()
    s.more(10)
    s.assert_all()


def test_unit_is_valid_and_exposes_little():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    unit = ROOT / "conf" / "firehosed.service"
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this systemd-analyze cannot look at a file")
    level = re.search(r"Overall exposure level for firehosed.service: (\d+\.\d+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level.group(1)) <= 1.5
