"""firehosectl, as an operator sees it."""

import json
import os
import re
import socket

import pytest

import events
from control import ctl
from firehosed import clean_environment, is_sanitized, run
from processes import resident_bytes
from waiting import wait_for

KEYS = {"version", "uptime_s", "relay", "cursor", "received", "written", "filtered", "quarantined", "duplicate",
        "in_flight", "ring", "workers", "redis"}  # fmt: skip


def test_status_as_json_has_all_that_scripts_need(lab):
    s = lab.system(events.make(100), workers=2)
    s.assert_all()
    done = ctl(s.daemon, "status", "--json")
    assert done.returncode == 0 and done.stderr == ""
    status = json.loads(done.stdout)
    assert KEYS <= set(status)
    assert re.fullmatch(r"\d+\.\d+.*", status["version"])
    assert status["uptime_s"] >= 0
    assert {"url", "state", "connected", "connects"} <= set(status["relay"])
    assert status["relay"]["state"] == "up" and status["relay"]["connected"] is True
    assert status["cursor"] == str(s.events[-1].seq)
    assert status["received"] == 100
    assert status["written"] == sum(e.is_delivered for e in s.events)
    assert status["ring"]["size_bytes"] >= 16 << 20
    assert {"used_bytes", "size_bytes", "records"} <= set(status["ring"])
    for index, worker in enumerate(status["workers"]):
        assert {"index", "pid", "state", "written", "restarts", "note"} <= set(worker)
        assert worker["index"] == index and worker["restarts"] == 0
    assert {"state", "note"} <= set(status["redis"])


def test_status_without_events_has_no_cursor(lab):
    s = lab.system([])
    s.daemon.wait_connected()
    assert s.daemon.status()["cursor"] is None
    assert s.daemon.status()["received"] == 0


def test_status_as_text_says_what_matters(lab):
    s = lab.system(events.make(100), workers=2)
    s.assert_all()
    done = ctl(s.daemon, "status")
    assert done.returncode == 0 and done.stderr == ""
    for pid in s.daemon.worker_pids():
        assert str(pid) in done.stdout
    for text in (s.relay.authority, "up", str(s.events[-1].seq)):
        assert text in done.stdout
    assert all(len(line) <= 120 for line in done.stdout.splitlines())


def test_status_begins_with_what_one_asks_first(lab):
    s = lab.system(events.make(100), workers=2)
    s.assert_all()
    s.daemon.wait_status(lambda st: st["lag_s"] is not None and st["redis"]["dead_letters_length"] is not None,
                         "to know lag and lengths")  # fmt: skip
    lag, rate, length, state = ctl(s.daemon, "status").stdout.splitlines()[:4]
    assert re.fullmatch(r"lag      \S+ \w+(, live|, caught up in about .+|, time to catch up unknown)", lag)
    assert re.fullmatch(r"rate     [\d,]+ events/s, [\d.]+ \w?B/s", rate)
    entries = sum(e.is_delivered for e in s.events)
    assert length == f"stream   {entries} entries, 0 dead letters"
    assert re.match(r"state    running, firehosed \S+, process \d+, up \d", state)


def test_status_says_that_the_relay_waits_for_redis(lab):
    redis = lab.redis(start=False)
    s = lab.system(events.make(10), redis=redis)
    status = s.daemon.wait_status(lambda st: st["redis"]["note"] != "", "to miss Redis")
    assert status["relay"]["state"] == "waiting" and "Redis" in status["relay"]["note"]
    text = ctl(s.daemon, "status").stdout
    assert re.search(r"^relay    ws://\S+: waiting: Redis must answer first", text, re.M)
    assert "stopped" not in text
    redis.start()
    s.assert_all()
    assert s.daemon.status()["relay"]["state"] == "up"


def test_numbers_in_json_have_no_noise(lab):
    s = lab.system(events.make(100))
    s.assert_all()
    s.daemon.wait_status(lambda st: st["lag_s"] is not None and st["uptime_s"] > 1, "to know the lag")
    for text in (ctl(s.daemon, "status", "--json").stdout, ctl(s.daemon, "top", "--json", "-n", "2").stdout):
        numbers = re.findall(r"\d+\.\d+", re.sub(r'"[^"]*"', "", text))
        assert numbers and [n for n in numbers if not re.fullmatch(r"\d+\.\d{1,3}", n)] == []


def test_last_line_of_the_log_says_what_is_saved(lab):
    s = lab.system(events.make(1500))
    s.assert_all()
    written = sum(e.is_delivered for e in s.events)
    s.daemon.stop()
    last = s.daemon.log().splitlines()[-1]
    assert last.endswith(f"stopped: cursor {s.events[-1].seq} saved, {written:,} events written")


def test_last_line_of_the_log_says_it_when_no_cursor_is_saved(lab):
    s = lab.system(events.make(10), redis=lab.redis(start=False))
    s.daemon.wait_status(lambda st: st["redis"]["note"] != "", "to miss Redis")
    s.daemon.stop()
    assert s.daemon.log().splitlines()[-1].endswith("stopped: cursor not saved, 0 events written")


def test_status_shows_no_password(lab):
    redis = lab.redis(password="very-secret")
    s = lab.system(events.make(10), redis=redis)
    s.assert_all()
    for arguments in (["status"], ["status", "--json"]):
        assert "very-secret" not in ctl(s.daemon, *arguments).stdout


def test_absent_daemon_is_a_clear_message_and_an_exit_code_of_its_own(lab):
    missing = lab.path("nobody.sock")
    for question in ("ready", "healthy"):
        assert run("firehosectl", "-s", missing, question).returncode == 3
    done = run("firehosectl", "-s", missing, "status")
    assert done.returncode == 3
    assert str(missing) in done.stderr
    assert done.stdout == ""
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(missing))  # the file is there, nobody listens
    stale.close()
    again = run("firehosectl", "-s", missing, "status", "--json")
    assert again.returncode == done.returncode
    assert str(missing) in again.stderr


def test_socket_can_come_from_the_environment_as_for_the_daemon(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    at = clean_environment(FIREHOSED_CONTROL_SOCKET=str(s.daemon.control_socket))
    assert run("firehosectl", "ready", environment=at).stdout == "ready\n"
    assert run("firehosectl", "-s", lab.path("nobody.sock"), "ready", environment=at).returncode == 3


def test_client_that_sends_garbage_gets_an_error_and_harms_nobody(lab):
    s = lab.system(events.make(10))
    for garbage in (b"hello\n", b"{}\n", b"\0" * 100 + b"\n", b'{"command":"' + b"x" * 100_000 + b'"}\n', b"[" * 50_000):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(s.daemon.control_socket))
            try:
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass
    s.assert_all()


def test_client_that_says_nothing_keeps_nobody_waiting(lab):
    s = lab.system(events.make(10))
    silent = []
    for _ in range(20):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(s.daemon.control_socket))
        silent.append(client)
    s.assert_all()
    s.daemon.stop()
    for client in silent:
        client.close()


def test_client_that_never_reads_is_dropped(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(s.daemon.control_socket))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while True:
                client.sendall(b'{"command":"status"}\n' * 100)
    assert s.daemon.status()["received"] == 10


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer keeps freed memory")
def test_clients_that_do_not_read_cost_little_memory_and_are_closed(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    before = resident_bytes(s.daemon.process.pid)
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(60)]
    most = before
    for client in crowd:
        client.connect(str(s.daemon.control_socket))
        client.setblocking(False)
    open_ones = set(crowd)

    def all_are_closed():
        nonlocal most
        for client in list(open_ones):
            try:
                client.send(b'{"command":"status"}\n' * 100)
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                open_ones.discard(client)
        most = max(most, resident_bytes(s.daemon.process.pid))
        return not open_ones

    wait_for(all_are_closed, "firehosed to close all clients that do not read", deadline=60)
    assert most - before < 32 << 20, f"{(most - before) >> 20} MB for {len(crowd)} clients"
    assert s.daemon.log_lines(r"warn master.*closing the connection of user \d+, pid %d: it does not read" % os.getpid())
    for client in crowd:
        client.close()
    assert s.daemon.status()["received"] == 10


def test_client_that_asks_much_at_once_and_reads_late_gets_every_answer(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(s.daemon.control_socket))
        client.sendall(b"".join(b'{"id":%d,"command":"status"}\n' % i for i in range(500)))
        client.shutdown(socket.SHUT_WR)
        answers = [json.loads(line) for line in client.makefile("rb")]
    assert [a["id"] for a in answers] == list(range(500)) and all(a["ok"] for a in answers)


def test_clients_are_limited_and_those_who_leave_make_room(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    for client in crowd:
        client.connect(str(s.daemon.control_socket))
        client.settimeout(20)
    assert crowd[-1].recv(1) == b""
    for client in crowd:
        client.close()
    wait_for(lambda: s.daemon.status() is not None, "room for another client")


def test_control_socket_is_closed_to_others(lab):
    s = lab.system([])
    assert s.daemon.control_socket.stat().st_mode & 0o007 == 0
