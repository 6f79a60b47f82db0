"""The init script, called as an administrator and the system call it, with paths of the test."""

import os
import shutil
import subprocess

import pytest

import stream
from firehosed import ROOT, clean_environment, program
from processes import is_alive
from waiting import wait_for

SCRIPT = ROOT / "conf" / "firehosed.init"

pytestmark = pytest.mark.skipif(
    not os.path.exists("/lib/lsb/init-functions") or not shutil.which("start-stop-daemon", path="/usr/sbin:/sbin"),
    reason="no init-functions or start-stop-daemon on this system",
)


class Service:
    def __init__(self, s, directory):
        self.run_dir = directory / "run"
        self.pid_file = self.run_dir / "firehosed.pid"
        self.config = directory / "service.conf"
        self.log = directory / "firehosed.log"
        self.relay, self.redis = s.relay.url, s.redis.url()
        self.environment = clean_environment(
            DAEMON=str(program("firehosed")), CONFIG=str(self.config), RUN_DIR=str(self.run_dir),
            PIDFILE=str(self.pid_file), LOG_DIR=str(directory), RUN_AS="", STOP_SECONDS="20",
        )  # fmt: skip
        self.configure()

    def configure(self, extra=""):
        self.config.write_text(
            f"relay = {self.relay}\nredis = {self.redis}\nstart = oldest\npid_file = {self.pid_file}\n"
            f"control_socket = {self.run_dir}/control.sock\nlog_file = {self.log}\ncursor_interval = 100ms\n{extra}"
        )

    def __call__(self, verb):
        done = subprocess.run(["sh", SCRIPT, verb], env=self.environment, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    @property
    def pid(self):
        return int(self.pid_file.read_text())


@pytest.fixture
def service(lab, tmp_path):
    s = lab.system(start=False)
    s.more(300)
    made = Service(s, tmp_path)
    made.system = s
    yield made
    made("stop")
    assert not made.pid_file.exists()


def test_start_status_and_stop(service):
    assert service("status")[0] == 3
    assert service("start")[0] == 0
    assert service("status")[0] == 0
    pid = service.pid
    assert is_alive(pid)
    service.system.wait_delivered()
    assert service("start")[0] == 0, "starting what runs is no failure"
    assert service.pid == pid
    assert service("stop")[0] == 0
    assert not is_alive(pid)
    assert service("status")[0] == 3
    assert service("stop")[0] == 0, "stopping what is stopped is no failure"


def test_restart_goes_on_where_it_was(service):
    service("start")
    service.system.wait_delivered()
    pid = service.pid
    service.system.more(300)
    assert service("restart")[0] == 0
    assert service.pid != pid
    service.system.wait_delivered()
    stream.assert_delivered(service.system.db, service.system.events)


@pytest.mark.parametrize("verb", ["reload", "force-reload"])
def test_reload_reads_the_configuration_again(service, verb):
    service("start")
    pid = service.pid
    service.configure("log_level = debug\n")
    assert service(verb)[0] == 0
    wait_for(lambda: "configuration reloaded" in service.log.read_text(), "the reload in the log")
    assert service.pid == pid


def test_wrong_configuration_is_not_started_nor_loaded(service):
    service.configure("no_such_key = 1\n")
    code, output = service("start")
    assert code == 6 and "no_such_key" in output
    service.configure()
    assert service("start")[0] == 0
    pid = service.pid
    service.configure("no_such_key = 1\n")
    for verb in ("reload", "restart"):
        code, output = service(verb)
        assert code == 6 and "no_such_key" in output
    assert is_alive(pid), "a restart with a wrong configuration must not stop what runs"
    service.configure()


def test_killed_daemon_is_told_and_started_again(service):
    service("start")
    os.kill(service.pid, 9)
    wait_for(lambda: service("status")[0] == 1, "the dead daemon's pid file to be noticed")
    assert service("reload")[0] == 7
    assert service("start")[0] == 0
    service.system.wait_delivered()
    stream.assert_delivered(service.system.db, service.system.events)


def test_unknown_verb_is_told(service):
    code, output = service("dance")
    assert code == 2 and "force-reload" in output
