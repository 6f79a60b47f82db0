"""Signals, start and end: SIGTERM, SIGINT, SIGHUP, SIGUSR1, the pid file, and the start in the background."""

import json
import os
import re
import signal

import pytest

import events
import relay as ws
import stream
from firehosed import Firehosed
from processes import is_alive, open_files
from waiting import wait_for

EX_TEMPFAIL = 75


# -- The end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_end_commits_what_is_in_flight_and_saves_the_cursor(lab, number):
    s = lab.system(events.make(5000), cursor_interval="1h", workers=2)
    s.wait_length(1000)
    s.more_in_flight(15000)
    s.daemon.signal(number)
    s.daemon.wait_log(f"{number.name}: stopping")
    s.redis.thaw()
    s.daemon.wait_exit(0)  # no process left
    cursor = int(s.db.get(stream.CURSOR))
    up_to = [e for e in s.events if e.seq <= cursor]
    stream.assert_delivered(s.db, up_to)  # and nothing behind the cursor is in the stream
    assert not s.daemon.pid_file.exists()
    assert not s.daemon.control_socket.exists()


def test_next_start_goes_on_exactly_where_the_end_was(lab):
    s = lab.system(events.make(8000), cursor_interval="1h", workers=2)
    for length in (500, 2500):
        s.wait_length(length)
        s.daemon.stop()
        s.more(1000)  # the next start has something to read, however much was written before
        s.daemon.start()
    s.assert_all()


def test_end_while_idle_is_in_order(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    s.daemon.stop()
    assert s.db.get(stream.CURSOR) == str(s.events[-1].seq)


def test_end_without_relay_is_in_order(lab):
    relay = lab.relay(start=False)
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"(warn|error) .*relay")
    s.daemon.stop()


def test_end_with_redis_down_does_not_hang_and_leaves_the_old_cursor(lab):
    s = lab.system(events.make(100), redis_options={"aof": True}, shutdown_timeout="1s")
    s.assert_all()
    s.wait_cursor(s.events[-1].seq)
    saved = s.events[-1].seq
    s.redis.kill()
    s.more(200)
    s.daemon.wait_status(lambda st: st["in_flight"] > 0, "to have work in flight")
    s.daemon.signal(signal.SIGTERM)
    s.daemon.process.wait("firehosed to end without Redis")
    wait_for(lambda: not s.daemon.members(), "workers to end")
    s.redis.start()
    assert s.db.get(stream.CURSOR) == str(saved)
    s.daemon.start()
    s.assert_all()


def test_end_at_once_after_the_start_is_in_order(lab):
    s = lab.system(events.make(100), start=False)
    s.daemon.start(wait=False)
    wait_for(s.daemon.pid_file.exists, "the process id file")
    s.daemon.stop()


def test_second_sigterm_does_no_harm(lab):
    s = lab.system(events.make(3000))
    s.wait_length(100)
    s.more_in_flight(1000)
    s.daemon.signal(signal.SIGTERM)
    s.daemon.wait_log("SIGTERM: stopping")
    s.daemon.signal(signal.SIGTERM)
    s.redis.thaw()
    s.daemon.wait_exit(0)


def test_interrupt_of_the_whole_terminal_ends_in_order(lab):
    """Ctrl-C reaches the master and the workers. The workers must wait for the master's order to end."""
    s = lab.system(events.make(5000), cursor_interval="1h", workers=2)
    s.wait_length(1000)
    s.more_in_flight(15000)
    os.killpg(s.daemon.process.pid, signal.SIGINT)
    s.daemon.wait_log("SIGINT: stopping")
    s.redis.thaw()
    s.daemon.wait_exit(0)
    cursor = int(s.db.get(stream.CURSOR))
    stream.assert_delivered(s.db, [e for e in s.events if e.seq <= cursor])


def test_master_killed_before_its_first_save_loses_and_doubles_nothing(lab):
    s = lab.system(events.make(50), workers=2, start=False, cursor_interval="1h")
    s.daemon.start()
    s.wait_delivered()
    s.daemon.kill()
    s.more(50)
    s.daemon.restart()
    s.assert_all()
    assert s.relay.wait_connections(2).cursor == s.events[0].seq - 1


def test_second_firehosed_takes_over_and_the_first_leaves(lab):
    s = lab.system(events.make(3000), workers=2)
    s.wait_length(100)
    second = lab.firehosed(start=True, workers=3, relay=s.relay.url, redis=s.redis.url())
    s.more(2000)
    s.daemon.wait_log(r"error .*another firehosed has taken over")
    s.daemon.wait_exit(76)
    s.daemon = second
    s.more(500)
    s.assert_all(strict=True)


def test_killed_master_takes_its_workers_along(lab):
    s = lab.system(events.make(3000), workers=3)
    s.wait_length(500)
    s.daemon.wait_workers(3)
    s.more_in_flight(1000)
    s.daemon.kill()  # waits for the workers' end
    s.redis.thaw()
    s.daemon.restart()
    s.assert_all(strict=True)


# -- Reload ------------------------------------------------------------------------------------------------------


def test_reload_changes_the_log_level_of_master_and_workers(lab):
    s = lab.system(events.make(10), log_level="warn")
    s.assert_all()
    assert not s.daemon.log_lines(r" (debug|info) ")
    s.daemon.reload(log_level="debug")
    s.daemon.wait_log(r" (debug|info) (master|firehosed)")
    s.more(10)
    s.assert_all()
    victim = s.daemon.worker_pids()[0]
    os.kill(victim, signal.SIGKILL)
    s.daemon.wait_worker_replaced(0, victim)
    s.daemon.wait_log(r" debug worker-0")
    s.daemon.reload(log_level="error")
    s.daemon.wait_status(lambda st: True, "to answer")
    s.more(50)
    s.assert_all()


def test_reload_changes_the_number_of_workers_up_and_down_under_load(lab):
    s = lab.system(events.make(1000, repos=50), workers=2)
    s.wait_length(100)
    for count in (4, 1, 3, 2):
        s.more(1500, repos=50)
        s.daemon.reload(workers=count)
        s.more(500, repos=50)
        assert len(s.daemon.wait_workers(count)) == count
        wait_for(lambda n=count: len(s.daemon.members()) == n + 1, f"{count} workers and the master, no more")
    s.assert_all(strict=True)
    assert len(s.relay.connections) == 1


def test_reload_while_idle_keeps_going(lab):
    s = lab.system(events.make(100), workers=1)
    s.assert_all()
    s.daemon.reload(workers=3)
    s.daemon.wait_workers(3)
    s.more(200)
    s.assert_all()


@pytest.mark.parametrize("line", ["no_such_key = 1", "batch_events = many", "ring_size = 1", "no equals sign"])
def test_reload_of_a_wrong_file_keeps_the_old_configuration(lab, line):
    s = lab.system(events.make(100), workers=2)
    s.assert_all()
    pids = s.daemon.wait_workers(2)
    s.daemon.write_config(workers=4)
    with open(s.daemon.config, "a") as config:
        config.write(line + "\n")
    s.daemon.signal(signal.SIGHUP)
    s.daemon.wait_log(rf"(warn|error) .*{re.escape(str(s.daemon.config))}:\d+: ")
    s.more(100)
    s.assert_all()
    assert s.daemon.worker_pids() == pids
    s.daemon.reload()  # the right file again
    s.daemon.wait_workers(4)


def test_reload_of_a_file_that_is_gone_keeps_the_old_configuration(lab):
    s = lab.system(events.make(100))
    s.assert_all()
    s.daemon.config.unlink()
    s.daemon.signal(signal.SIGHUP)
    s.daemon.wait_log(r"(warn|error) .*No such file")
    s.more(100)
    s.assert_all()


def test_reload_of_a_key_that_needs_a_restart_says_so(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    s.daemon.reload(ring_size="64M")
    s.daemon.wait_log(r"ring_size.*(restart|next start)")


def test_reload_moves_to_another_relay(lab):
    made = events.make(400)
    old, new = lab.relay(made[:200]), lab.relay(made)
    s = lab.system(relay=old)
    s.assert_all()
    s.daemon.reload(relay=new.url)
    assert new.wait_connections(1).path == ws.XRPC_PATH
    old.connections[0].wait_ended()
    s.relay = new
    stream.wait_seqs(s.db, made[200:])


def test_reload_moves_to_another_redis(lab):
    first, second = lab.redis(), lab.redis()
    s = lab.system(events.make(300), redis=first)
    s.assert_all()
    before = list(s.events)
    s.daemon.reload(redis=second.url())
    wait_for(lambda: not first.daemon_clients() and second.daemon_clients(), "the move to the other Redis")
    fresh = s.more(300)
    stream.wait_seqs(second.client(), fresh)
    s.daemon.wait_settled()
    stream.assert_delivered(second.client(), fresh)
    stream.assert_delivered(first.client(), before)


@pytest.mark.parametrize("end", ["kill", "freeze"])
def test_reload_moves_away_from_a_redis_that_is_gone(lab, end):
    """firehosed writes the events in flight to the new Redis, as the old one may never come back."""
    first, second = lab.redis(), lab.redis()
    s = lab.system(events.make(300), redis=first, redis_reply_timeout="10m")
    s.assert_all()
    getattr(first, end)()
    fresh = s.more(300)
    s.daemon.wait_status(lambda status: status["received"] == len(s.events), "to receive all that was sent")
    s.daemon.reload(redis=second.url())
    stream.wait_seqs(second.client(), fresh)
    s.daemon.wait_settled()
    stream.assert_delivered(second.client(), fresh)


def test_reload_of_what_workers_use_reaches_them(lab):
    s = lab.system(events.make(200), workers=2)
    s.assert_all()
    before = list(s.events)
    s.daemon.reload(stream_key="another:stream", event_format="extended")
    s.daemon.wait_log(r"info .*reloaded")
    fresh = s.more(200)
    wait_for(lambda: s.db.xlen("another:stream") >= len(fresh), "the other stream to fill")  # #sync, too
    s.daemon.assert_balance(400)
    stream.assert_delivered(s.db, before)
    assert all("time" in entry.data for entry in stream.entries(s.db, "another:stream"))


def test_reload_to_a_redis_that_is_away_is_mended_by_another_reload(lab):
    s = lab.system(events.make(300), workers=2)
    s.assert_all()
    right = s.redis.url()
    s.daemon.reload(redis="redis://127.0.0.1:1")
    s.daemon.wait_log(r"redis 127.0.0.1:1.*refused")
    s.more(300)
    s.daemon.reload(redis=right, workers=3)
    assert len(s.daemon.wait_workers(3)) == 3
    s.assert_all()


def test_many_reloads_at_once_do_no_harm(lab):
    s = lab.system(events.make(3000), workers=2)
    for count in [1, 2, 3, 4] * 4:
        s.daemon.write_config(workers=count)
        s.daemon.signal(signal.SIGHUP)
    s.daemon.wait_workers(4)
    s.assert_all(strict=True)


# -- The log -----------------------------------------------------------------------------------------------------


def test_log_is_opened_again_after_a_rotation(lab):
    log_file, rotated = lab.path("firehosed.log"), lab.path("firehosed.log.1")
    s = lab.system(events.make(10), log_file=log_file, log_level="debug", workers=2)
    s.daemon.wait_log(r"Connected to firehose successfully")
    log_file.rename(rotated)
    s.daemon.signal(signal.SIGUSR1)
    wait_for(log_file.exists, "the new log file")
    victim = s.daemon.wait_workers(2)[0]
    os.kill(victim, signal.SIGKILL)
    s.daemon.wait_worker_replaced(0, victim)
    wait_for(lambda: str(victim) in log_file.read_text(), "the worker's death in the new log")
    s.more(100)
    s.assert_all()

    for pid in s.daemon.members():
        held = open_files(pid)
        assert str(rotated) not in held
        assert (str(log_file) in held) == (pid == s.daemon.process.pid)  # workers log through the master


def test_log_file_that_cannot_be_opened_again_keeps_the_old_one(lab):
    log_file = lab.path("logs") / "firehosed.log"
    log_file.parent.mkdir()
    s = lab.system(events.make(10), log_file=log_file)
    s.assert_all()
    moved = lab.path("moved")
    log_file.parent.rename(moved)
    s.daemon.signal(signal.SIGUSR1)
    wait_for(lambda: "log file" in (moved / "firehosed.log").read_text(), "the complaint in the old log")
    s.more(50)
    s.assert_all()


def test_log_that_cannot_be_written_does_not_stop_the_work(lab):
    s = lab.system(events.make(500), log_file="/dev/full", log_level="debug")
    s.assert_all()


# -- One at a time -------------------------------------------------------------------------------------------------


def test_second_start_on_a_live_pid_file_is_refused(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    pid = s.daemon.master_pid()
    second = Firehosed(lab.path("second"), **{**s.daemon.settings, "control_socket": lab.path("second.sock")})
    lab.parts.append(second)
    second.start(wait=False)
    second.wait_exit(EX_TEMPFAIL)
    assert str(pid) in second.log()
    assert s.daemon.master_pid() == pid and is_alive(pid)
    s.more(10)
    s.assert_all()


def test_stale_pid_file_is_no_hindrance(lab):
    s = lab.system(events.make(10), start=False)
    s.daemon.pid_file.write_text("1\n")  # process 1 lives, but no firehosed holds the lock
    s.daemon.start()
    assert s.daemon.master_pid() == s.daemon.process.pid
    s.assert_all()


def test_files_left_by_a_killed_master_are_no_hindrance(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    s.daemon.kill()
    assert s.daemon.pid_file.exists()
    s.daemon.restart()
    s.more(10)
    s.assert_all(strict=True)


def test_pid_file_in_a_directory_that_is_missing_is_a_clear_error(lab):
    daemon = lab.firehosed(pid_file=lab.path("missing") / "firehosed.pid")
    daemon.start(wait=False)
    code = daemon.process.wait()
    assert code not in (0, None)
    assert "firehosed.pid" in daemon.log()


def test_start_without_pid_file_and_control_socket_works(lab):
    s = lab.system(events.make(50), pid_file="", control_socket="", start=False)
    s.daemon.start(wait=False)
    s.wait_delivered()
    s.daemon.stop()


# -- In the background ---------------------------------------------------------------------------------------------


def test_daemon_detaches_writes_its_pid_and_ends_on_sigterm(lab):
    s = lab.system(events.make(200), start=False)
    log_file = lab.path("daemon.log")
    s.daemon.write_config(log_file=log_file)
    assert s.daemon.start_in_background() == 0
    pid = s.daemon.master_pid()
    assert is_alive(pid)
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    assert int(fields[2]) != os.getpgrp() and int(fields[4]) == 0  # a process group of its own, no terminal
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    wait_for(  # the command returns when the pid is written, which may be a moment earlier
        lambda: {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} <= {"/dev/null", str(log_file)},
        "it to let go of the standard streams",
    )
    s.wait_delivered()
    s.daemon.wait_settled()
    s.assert_delivered()
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not s.daemon.members(), lambda: f"all processes to end: {s.daemon.members()}")
    assert not s.daemon.pid_file.exists()
    assert s.db.get(stream.CURSOR) == str(s.events[-1].seq)
    assert "Connected to firehose successfully" in log_file.read_text()


def test_daemon_tells_about_a_wrong_configuration_before_it_detaches(lab):
    daemon = lab.firehosed(workers="many")
    assert daemon.start_in_background() == 78
    assert "workers" in daemon.log()


def test_daemon_refuses_a_second_start_with_75(lab):
    s = lab.system(events.make(10), start=False)
    s.daemon.write_config(log_file=lab.path("daemon.log"))
    assert s.daemon.start_in_background() == 0
    assert s.daemon.start_in_background() == EX_TEMPFAIL


def test_daemon_without_a_log_file_it_can_open_fails_before_it_detaches(lab):
    daemon = lab.firehosed(log_file="/no/such/directory/firehosed.log")
    assert daemon.start_in_background() not in (0, None)
    assert "/no/such/directory/firehosed.log" in daemon.log()
    assert not daemon.pid_file.exists()


def test_status_key_is_not_left_claiming_a_connection(lab):
    """A dashboard must not show "connected" for a service that has ended in order."""
    s = lab.system(events.make(10))
    s.assert_all()
    wait_for(lambda: json.loads(s.db.get(stream.STATUS) or "{}").get("connected"), "the status key")
    s.daemon.stop()
    text = s.db.get(stream.STATUS)
    assert text is None or json.loads(text)["connected"] is False
