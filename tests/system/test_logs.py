"""Logs: as text, as JSON and to syslog; folded lines; and the newest errors in status."""

import fcntl
import json
import os
import re
import socket
import threading
from signal import SIGHUP, SIGUSR1

import pytest

import events
import frames
import relay as ws
from control import ctl, ctl_json
from waiting import wait_for

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warn|error) (firehosed|master|worker-\d+)\[\d+\]: \S.*")


class Syslog:
    """The datagram socket of a syslogd. A thread reads it, as its queue holds ten lines and more are lost."""

    def __init__(self, path, reads=True):
        self.path, self.reads = path, reads
        self.lines = []
        self.socket = self.thread = None
        self.start()

    def start(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        if self.reads:
            self.thread = threading.Thread(target=self.read, args=[self.socket], daemon=True)
            self.thread.start()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        if self.thread:
            self.thread.join()
        self.socket.close()
        os.unlink(self.path)

    def read(self, from_socket):
        while line := from_socket.recv(65536):
            self.lines.append(line.decode())

    def wait(self, pattern):
        wait_for(lambda: any(re.search(pattern, line) for line in list(self.lines)), lambda: f"{pattern} in {self.lines}")


def test_every_line_has_time_level_process_and_what(lab):
    s = lab.system(events.make(300), log_level="debug")
    s.assert_all()
    s.redis.kill_daemon_clients()
    s.more(50)
    s.assert_all()
    s.daemon.stop()
    lines = s.daemon.log().splitlines()
    assert len(lines) > 10
    for line in lines:
        assert LINE.fullmatch(line), line


def test_json_lines_are_objects_of_the_same(lab):
    s = lab.system(events.make(300), log_format="json", log_level="debug")
    s.assert_all()
    s.daemon.signal(SIGUSR1)
    s.daemon.stop()
    objects = [json.loads(line) for line in s.daemon.log().splitlines()]
    assert all(set(o) == {"time", "level", "process", "pid", "text"} for o in objects)
    assert {"master", "worker-0"} <= {o["process"] for o in objects}
    assert any(o["text"].startswith("Connected to firehose successfully") and o["level"] == "info" for o in objects)


def test_format_changes_with_a_reload_in_all_processes(lab):
    s = lab.system(events.make(50), log_level="debug", workers=1)
    s.assert_all()
    s.daemon.write_config(log_format="json")
    ctl_json(s.daemon, "reload")
    pid = s.daemon.worker_pids()[0]
    before = len(s.daemon.log().splitlines())
    s.redis.kill_daemon_clients()
    s.daemon.wait_log(r'"process":"worker-0","pid":%d' % pid)
    s.daemon.wait_log(r'"process":"master"')
    for line in s.daemon.log().splitlines()[before:]:
        json.loads(line)


def test_syslog_gets_every_line_with_its_severity_from_locked_in_workers_too(lab):
    syslog = Syslog(lab.path("log"))
    s = lab.system(events.make(50), log_file=f"syslog:{syslog.path}", workers=1)
    s.assert_all()
    syslog.wait(r"^<30>firehosed\[%d\]: info master: Connected to firehose successfully" % s.daemon.process.pid)
    s.redis.kill_daemon_clients()
    s.more(50)
    syslog.wait(r"^<28>firehosed\[%d\]: warn worker-0: redis" % s.daemon.worker_pids()[0])
    assert not any("\n" in line for line in syslog.lines)
    s.assert_all()
    s.daemon.stop()
    syslog.stop()


def test_restarted_syslog_is_found_again_by_all_processes(lab):
    syslog = Syslog(lab.path("log"))
    s = lab.system(events.make(50), log_file=f"syslog:{syslog.path}", workers=1, log_level="debug")
    s.assert_all()
    syslog.stop()
    s.redis.kill_daemon_clients()  # now each process has a line to log
    s.more(50)
    s.assert_all()
    syslog.start()
    del syslog.lines[:]
    ctl(s.daemon, "log-level", "debug")
    s.redis.kill_daemon_clients()
    syslog.wait(r"info master: syslog was away")
    s.redis.kill_daemon_clients()
    s.more(50)
    syslog.wait(r"worker-0: ")
    s.assert_all()
    s.daemon.stop()
    syslog.stop()


def test_stopped_syslog_holds_nobody_up(lab):
    """This syslog reads nothing. The queue of its socket fills, and lines are lost, but no events."""
    syslog = Syslog(lab.path("log"), reads=False)
    s = lab.system(events.make(500), log_file=f"syslog:{syslog.path}", log_level="debug")
    for _ in range(5):
        s.redis.kill_daemon_clients()
        s.more(100)
        s.wait_delivered()
    s.assert_all()
    s.daemon.stop()
    syslog.stop()


def test_syslog_that_is_not_there_is_a_clear_message(lab):
    s = lab.system([], start=False, log_file=f"syslog:{lab.path('nobody')}")
    s.daemon.start(wait=False)
    s.daemon.wait_exit(1)
    assert "syslog" in s.daemon.log() and str(lab.path("nobody")) in s.daemon.log()


def test_log_moves_to_syslog_and_back_by_reload(lab):
    syslog = Syslog(lab.path("log"))
    s = lab.system(events.make(20))
    s.assert_all()
    s.daemon.write_config(log_file=f"syslog:{syslog.path}")
    ctl_json(s.daemon, "reload")
    syslog.wait("configuration reloaded")
    s.daemon.write_config(log_file=None)
    s.daemon.signal(SIGHUP)
    syslog.wait("SIGHUP")
    s.assert_all()
    s.daemon.stop()
    syslog.stop()


def test_newest_errors_of_all_processes_are_in_status(lab):
    s = lab.system(events.make(20), workers=1)
    s.assert_all()
    begun = len(s.daemon.status()["recent_errors"])
    s.redis.kill_daemon_clients()
    s.more(20)
    s.assert_all()
    s.relay.append([events.other(b"\x00garbage")])
    s.daemon.wait_status(lambda t: t["quarantined"] == 1, "to refuse a frame")
    errors = s.daemon.status()["recent_errors"]
    assert len(errors) >= begun + 2
    assert all(set(e) == {"time", "level", "process", "pid", "text"} for e in errors)
    assert {e["process"] for e in errors} == {"master", "worker-0"}
    assert "refused" in errors[0]["text"] and errors[0]["level"] == "warn"
    times = [e["time"] for e in errors]
    assert times == sorted(times, reverse=True)
    text = ctl(s.daemon, "status").stdout
    assert errors[0]["text"][:40] in text


def test_repeated_errors_are_folded(lab):
    s = lab.system(events.make(20), workers=1)
    s.assert_all()
    s.daemon.write_config(batch_events="many")
    for _ in range(20):
        assert ctl(s.daemon, "reload").returncode == 1
    assert len(s.daemon.log_lines(r"error master.*old configuration stays")) == 4


FLOOD = 20_000


def flood_of(kind):
    """Returns messages for which firehosed logs a line each, and whose texts differ by a number."""
    made = {
        "info": lambda i: frames.info(f"Note{i}", f"this is note {i}"),
        "outdated": lambda i: frames.info("OutdatedCursor", f"you are {i} late"),
        "rogue": lambda i: frames.identity((2 * FLOOD - i) * 10**11, "did:plc:x"),
    }[kind]
    return b"".join(ws.frame(ws.BINARY, made(i)) for i in range(FLOOD))


@pytest.mark.parametrize("kind", ["info", "outdated", "rogue"])
def test_relay_cannot_flood_the_log_with_texts_that_differ_by_a_number(lab, kind):
    s = lab.system(events.make(100), start=False)
    flood = flood_of(kind)

    async def script(connection):
        await connection.serve(50)
        await connection.send(flood)
        await connection.serve()

    s.relay.script(script)
    s.daemon.start()
    s.wait_delivered()
    assert s.daemon.stderr.stat().st_size < 300_000
    s.daemon.wait_status(lambda t: t["log_left_out"] >= FLOOD - 100, "to count what it left out")
    # A fault of the operator's is still told, and so is who asks for what.
    s.daemon.write_config(batch_events="many")
    assert ctl(s.daemon, "reload").returncode == 1
    assert s.daemon.log_lines(r"error master.*batch_events.*old configuration stays")
    assert s.daemon.log_lines(r"info master.*control: reload, asked for by user")


def test_log_that_nobody_reads_holds_nobody_up_and_tells_what_is_lost(lab):
    fifo = lab.path("log.fifo")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    s = lab.system(events.make(300), log_file=fifo, log_level="debug")
    for _ in range(10):
        s.redis.kill_daemon_clients()
        s.more(50)
        s.wait_delivered()
    s.assert_all()
    text = os.read(reader, 65536).decode()
    assert 0 < len(text) <= 4096

    def told():
        nonlocal text
        try:
            text += os.read(reader, 65536).decode()
        except BlockingIOError:
            pass
        return re.search(r"warn master\[\d+\]: \d+ lines are lost, as the log did not take them: nobody reads it\n", text)

    wait_for(told, lambda: f"the loss in {text}")
    assert all(LINE.fullmatch(line) for line in text.splitlines())
    s.daemon.stop()
    os.close(reader)


def test_log_fifo_without_a_reader_is_a_clear_message(lab):
    fifo = lab.path("log.fifo")
    os.mkfifo(fifo)
    s = lab.system([], start=False, log_file=fifo)
    s.daemon.start(wait=False)
    s.daemon.wait_exit(1)
    assert "nobody reads that pipe" in s.daemon.log()
