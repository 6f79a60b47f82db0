"""Commands of firehosectl that change something. None of them loses or doubles an event."""

import json
import os
import re
import subprocess
from signal import SIGHUP

import pytest

import events
import stream
from control import Control, ctl, ctl_json
from firehosed import ROOT, program, run
from processes import is_alive
from waiting import hold_for, wait_for

# -- looking ---------------------------------------------------------------------------------------------------


def test_workers_shows_each(lab):
    s = lab.system(events.make(100), workers=3)
    s.assert_all()
    answer = ctl_json(s.daemon, "workers")
    assert [w["index"] for w in answer["workers"]] == [0, 1, 2]
    assert [w["pid"] for w in answer["workers"]] == s.daemon.worker_pids()
    text = ctl(s.daemon, "workers").stdout
    assert all(str(w["pid"]) in text and "ready" in text for w in answer["workers"])
    assert all(len(line) <= 80 for line in text.splitlines())


def test_config_tells_value_and_origin_and_no_password(lab):
    redis = lab.redis(password="very-secret")
    s = lab.system([], redis=redis, environment={"LOG_LEVEL": "warn"})
    settings = {one["key"]: one for one in ctl_json(s.daemon, "config")["settings"]}
    assert settings["workers"]["value"] == "2"
    assert re.fullmatch(rf"{re.escape(str(s.daemon.config))}:\d+", settings["workers"]["origin"])
    assert settings["log_level"]["value"] == "warn" and "LOG_LEVEL" in settings["log_level"]["origin"]
    assert settings["batch_events"]["is_default"] and settings["batch_events"]["reloadable"]
    assert not settings["ring_size"]["reloadable"]
    assert "***" in settings["redis"]["value"]
    for arguments in (["config"], ["config", "--json"], ["config", "redis"]):
        done = ctl(s.daemon, *arguments)
        assert done.returncode == 0 and "very-secret" not in done.stdout
    assert "needs a restart" in ctl(s.daemon, "config", "ring_size").stdout
    missing = ctl(s.daemon, "config", "no_such_key")
    assert missing.returncode == 1 and "no_such_key" in missing.stderr and missing.stdout == ""


def test_config_shows_a_list_of_relays(lab):
    relay = lab.relay([])
    s = lab.system(relay=relay, start=False)
    s.daemon.write_config(relay=f"{relay.url}, ws://127.0.0.1:1")
    s.daemon.start()
    value = ctl_json(s.daemon, "config", "relay")["settings"][0]["value"]
    assert relay.url in value and ", ws://127.0.0.1:1" in value and "cannot" not in value
    s.daemon.write_config(relay=f"{relay.url}, ws://127.0.0.1:1, ws://127.0.0.1:2")
    assert "127.0.0.1:2" in ctl_json(s.daemon, "reload")["changes"][0]["to"]


def test_cursor_shows_how_far_it_is(lab):
    s = lab.system(events.make(100), workers=2)
    s.assert_all()
    last = str(s.events[-1].seq)
    s.wait_cursor(last)
    cursor = wait_for(lambda: (c := ctl_json(s.daemon, "cursor"))["saved"] == last and c, "the saved cursor to be told")
    assert cursor["current"] == cursor["newest"] == last
    assert cursor["relay"] == "127.0.0.1" and cursor["key"] == stream.CURSOR and cursor["paused"] is False
    seqs = [e.seq for e in s.events if e.is_delivered]
    assert int(cursor["marks"]["highest"]) == max(seqs)
    assert min(seqs) <= int(cursor["marks"]["lowest"]) <= max(seqs)
    assert last in ctl(s.daemon, "cursor").stdout


def test_no_colour_where_there_is_no_terminal(lab):
    s = lab.system([])
    for command in ("status", "workers", "config", "cursor"):
        assert "\033" not in ctl(s.daemon, command).stdout


# -- reload, log-level, workers ---------------------------------------------------------------------------------


def test_reload_tells_what_has_changed(lab):
    s = lab.system(events.make(50), workers=2)
    s.assert_all()
    assert ctl_json(s.daemon, "reload") == {"changes": []}
    pids = s.daemon.worker_pids()
    s.daemon.write_config(batch_events=100, ring_size="32M")
    answer = ctl_json(s.daemon, "reload")
    changes = {c["key"]: c for c in answer["changes"]}
    assert set(changes) == {"batch_events", "ring_size"}
    assert (changes["batch_events"]["from"], changes["batch_events"]["to"]) == ("512", "100")
    assert changes["ring_size"]["needs_restart"] and not changes["batch_events"]["needs_restart"]
    assert set(s.daemon.worker_pids()).isdisjoint(pids), "it has answered before the workers were replaced"
    s.more(50)
    s.assert_all()


def test_reload_of_a_wrong_file_says_what_is_wrong(lab):
    s = lab.system([])
    s.daemon.write_config(batch_events="many")
    done = ctl(s.daemon, "reload")
    assert done.returncode == 1
    assert f"{s.daemon.config}:" in done.stderr and "batch_events" in done.stderr and "old configuration" in done.stderr
    assert ctl_json(s.daemon, "config", "batch_events")["settings"][0]["value"] == "512"
    s.daemon.write_config(batch_events=7)
    assert ctl_json(s.daemon, "reload")["changes"][0]["to"] == "7"


def test_log_level_is_changed_until_the_next_reload(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    assert ctl_json(s.daemon, "log-level", "CRITICAL") == {"log_level": "error", "before": "info"}
    assert ctl_json(s.daemon, "log-level", "debug") == {"log_level": "debug", "before": "error"}
    setting = ctl_json(s.daemon, "config", "log_level")["settings"][0]
    assert setting["value"] == "debug" and "firehosectl" in setting["origin"]
    s.redis.kill_daemon_clients()
    s.daemon.wait_log(r" debug master\[\d+\]: ")
    s.daemon.wait_log(r" debug worker-\d\[\d+\]: ")
    s.daemon.signal(SIGHUP)
    wait_for(lambda: ctl_json(s.daemon, "config", "log_level")["settings"][0]["value"] == "info", "the file's level")


def test_number_of_workers_is_changed_at_once_and_until_the_next_reload(lab):
    s = lab.system(events.make(500), workers=2)
    for count in (5, 1, 3, 3):
        s.more(300)
        answer = ctl_json(s.daemon, "workers", count)
        assert answer["workers"] == count
        pids = s.daemon.worker_pids()
        assert len(pids) == count and all(is_alive(pid) for pid in pids)
    assert "firehosectl" in ctl_json(s.daemon, "config", "workers")["settings"][0]["origin"]
    s.assert_all()
    changes = ctl_json(s.daemon, "reload")["changes"]
    assert [(c["key"], c["from"], c["to"]) for c in changes] == [("workers", "3", "2")]
    s.daemon.wait_workers(2)
    s.more(100)
    s.assert_all()
    assert ctl(s.daemon, "workers", "0").returncode == 64
    assert ctl(s.daemon, "workers", "many").returncode == 64


# -- restart-worker ---------------------------------------------------------------------------------------------


def test_restarted_workers_lose_and_double_nothing(lab):
    s = lab.system(events.make(2000), workers=3)
    for _ in range(3):
        old = s.daemon.wait_workers(3)
        s.more(1000)
        answer = ctl_json(s.daemon, "restart-worker", "all")
        assert [(w["index"], w["old_pid"]) for w in answer["restarted"]] == list(enumerate(old))
        assert [w["pid"] for w in answer["restarted"]] == s.daemon.worker_pids()
        assert not any(is_alive(pid) for pid in old)
    s.assert_all()
    assert all(w["restarts"] == 0 for w in s.daemon.status()["workers"]), "an orderly restart is no crash"


def test_one_worker_is_restarted_and_the_others_stay(lab):
    s = lab.system(events.make(100), workers=3)
    s.assert_all()
    before = s.daemon.worker_pids()
    ctl_json(s.daemon, "restart-worker", "1")
    after = s.daemon.worker_pids()
    assert after[1] != before[1] and (after[0], after[2]) == (before[0], before[2])
    for wrong in ("3", "-1", "x", "1x"):
        done = ctl(s.daemon, "restart-worker", "--", wrong)
        assert done.returncode == 1 and "0 to 2" in done.stderr
    s.more(100)
    s.assert_all()


def test_restart_while_redis_is_away_waits_for_it(lab):
    s = lab.system(events.make(100), workers=2)
    s.assert_all()
    s.redis.freeze()
    s.more(200)
    s.daemon.wait_status(lambda t: t["in_flight"] > 0, "to have something in hand")
    with Control(s.daemon) as c:
        c.send("restart-worker", worker="all")
        assert "waiting_for" in c.receive()["item"]
        s.redis.thaw()
        assert c.answer()["ok"]
    s.assert_all()


# -- pause, drain, resume ---------------------------------------------------------------------------------------


def test_paused_relay_is_not_read_and_nothing_is_lost(lab):
    s = lab.system(events.make(300))
    s.assert_all()
    answer = ctl_json(s.daemon, "pause")
    assert answer["paused"] is True
    status = s.daemon.status()
    assert status["state"] == "paused" and status["relay"]["state"] == "stopped"
    assert "paused" in ctl(s.daemon, "status").stdout
    length = stream.length(s.db)
    s.more(200)
    hold_for(lambda: stream.length(s.db) == length, 1, "nothing is written while it is paused")
    assert ctl_json(s.daemon, "pause")["paused"] is True, "once more is well, too"
    assert ctl_json(s.daemon, "resume")["paused"] is False
    s.assert_all()
    assert s.daemon.status()["state"] == "running"
    assert ctl_json(s.daemon, "resume")["paused"] is False


def test_pause_survives_reload_resize_and_lost_redis(lab):
    s = lab.system(events.make(300))
    s.assert_all()
    ctl_json(s.daemon, "drain")
    s.more(100)
    length = stream.length(s.db)
    ctl_json(s.daemon, "workers", "4")
    s.daemon.write_config(batch_events=50)
    ctl_json(s.daemon, "reload")
    ctl_json(s.daemon, "restart-worker", "all")
    s.redis.kill_daemon_clients()
    hold_for(lambda: stream.length(s.db) == length, 1, "nothing is written while it is paused")
    assert s.daemon.status()["state"] == "paused"
    ctl_json(s.daemon, "resume")
    s.assert_all()


def test_drain_answers_when_all_is_written_and_the_cursor_saved(lab):
    s = lab.system(events.make(3000), workers=2, cursor_interval="1h")
    s.wait_length(100)
    s.more(2000)
    answer = ctl_json(s.daemon, "drain")
    status = s.daemon.status()
    assert status["in_flight"] == 0 and status["ring"]["records"] == 0
    assert s.db.get(stream.CURSOR) == answer["cursor"] == status["cursor"]
    ctl_json(s.daemon, "resume")
    s.assert_all()


def test_pause_and_resume_in_a_row_come_to_rest(lab):
    s = lab.system(events.make(500))
    with Control(s.daemon) as c:
        for n in range(7):
            c.send("pause", id=f"p{n}")
            c.send("resume", id=f"r{n}")
        answers = [c.answer() for _ in range(14)]
        assert all(a["ok"] for a in answers)
    s.assert_all()


def test_stopped_while_paused_ends_in_order(lab):
    s = lab.system(events.make(100))
    s.assert_all()
    ctl_json(s.daemon, "pause")
    s.daemon.stop()
    s.more(50)
    s.daemon.restart()
    s.assert_all()


# -- cursor set -------------------------------------------------------------------------------------------------


def test_cursor_set_back_writes_what_comes_after_it_again(lab):
    s = lab.system(events.make(400), workers=3)
    s.assert_all()
    back = s.events[150].seq
    refused = ctl(s.daemon, "cursor", "set", back, "--yes")
    assert refused.returncode == 1 and "drain" in refused.stderr
    ctl_json(s.daemon, "drain")
    answer = ctl_json(s.daemon, "cursor", "set", back, "--yes")
    assert answer["saved"] == answer["current"] == str(back) and answer["paused"] is True
    assert s.db.get(stream.CURSOR) == str(back)
    before = stream.length(s.db)
    ctl_json(s.daemon, "resume")
    again = [e.seq for e in s.events[151:] if e.is_delivered]
    s.wait_length(before + len(again))
    s.daemon.wait_settled()
    seqs = stream.seqs(s.db)
    assert sorted(seqs[before:]) == again, "what comes after the cursor, each once more"
    assert s.daemon.status()["resets"] == 0
    s.more(50)
    s.assert_all(strict=False)
    assert stream.length(s.db) == before + len(again) + sum(e.is_delivered for e in s.events[400:])


def test_cursor_set_forward_skips(lab):
    s = lab.system(events.make(100))
    s.assert_all()
    ctl_json(s.daemon, "drain")
    s.more(100)
    ahead = s.events[149].seq
    ctl_json(s.daemon, "cursor", "set", ahead, "--yes")
    ctl_json(s.daemon, "resume")
    wanted = [e.seq for e in s.events[:100] + s.events[150:] if e.is_delivered]
    s.wait_length(len(wanted))
    s.daemon.wait_settled()
    assert sorted(stream.seqs(s.db)) == wanted


def test_cursor_set_live_deletes_cursor_and_marks(lab):
    s = lab.system(events.make(100))
    s.assert_all()
    ctl_json(s.daemon, "drain")
    s.more(100)
    answer = ctl_json(s.daemon, "cursor", "set", "live", "--yes")
    assert answer["current"] is None and answer["marks"]["partitions"] == 0
    assert s.db.get(stream.CURSOR) is None
    ctl_json(s.daemon, "resume")
    s.daemon.wait_connected()
    wait_for(lambda: s.relay.connections[-1].cursor is None, "a connection without a cursor")
    live = s.more(50)
    wait_for(lambda: live[-1].seq in stream.seqs(s.db) or not live[-1].is_delivered, "the live events")
    s.daemon.wait_settled()
    wanted = [e.seq for e in s.events[:100] + live if e.is_delivered]
    assert sorted(stream.seqs(s.db)) == wanted


def test_cursor_set_needs_a_yes_and_something_sensible(lab):
    s = lab.system([])
    done = ctl(s.daemon, "cursor", "set", "7")
    assert done.returncode == 64 and "--yes" in done.stderr
    for wrong in (["set"], ["set", "x"], ["get", "7"], ["set", "99999999999999999999"]):
        assert ctl(s.daemon, "cursor", *wrong, "--yes").returncode == 64


def test_cursor_set_while_redis_is_away_is_refused(lab):
    s = lab.system(events.make(50))
    s.assert_all()
    ctl_json(s.daemon, "drain")
    s.redis.kill()
    s.daemon.wait_status(lambda t: t["redis"]["state"] != "ready", "to miss Redis")
    done = ctl(s.daemon, "cursor", "set", "7", "--yes")
    assert done.returncode == 1 and "redis" in done.stderr


# -- shutdown ---------------------------------------------------------------------------------------------------


def test_shutdown_ends_in_order_and_returns_then(lab):
    s = lab.system(events.make(2000))
    s.wait_length(100)
    done = ctl(s.daemon, "shutdown")
    assert done.returncode == 0 and "has ended" in done.stdout
    s.daemon.wait_exit(0)
    s.daemon.wait_log("firehosectl shutdown: stopping")
    s.daemon.restart()
    s.assert_all()


def test_shutdown_before_anything_has_begun_is_answered_too(lab):
    redis = lab.redis(start=False)
    s = lab.system([], redis=redis)
    with Control(s.daemon) as c:
        assert c.ask("shutdown")["ok"]
        assert c.receive() is None
    s.daemon.wait_exit(0)


# -- the program itself -----------------------------------------------------------------------------------------


def commands():
    """Returns the names of the commands, from the help."""
    lines = run("firehosectl", "-h").stdout.split("commands:\n")[1].split("\n\n")[0].splitlines()
    return [line.split()[0] for line in lines if re.match(r"  \S", line)]


def test_manual_and_completion_know_every_command():
    names = commands()
    assert {"status", "workers", "reload", "cursor", "shutdown"} <= set(names)
    page = (ROOT / "man" / "firehosectl.1").read_text()
    synopsis = page.split(".SH SYNOPSIS")[1].split(".SH")[0]
    for name in names:
        escaped = name.replace("-", r"\-")
        assert re.search(rf"^\.B[RI]? {re.escape(escaped)}\b", synopsis, re.M), f"{name} is not in the synopsis"
        described = re.search(rf"^\.B[RI]? {re.escape(escaped)}\b", page.split(".SH COMMANDS")[1], re.M)
        assert described, f"{name} is not in COMMANDS"
    for shell in ("bash", "zsh"):
        script = run("firehosectl", "completion", shell)
        assert script.returncode == 0
        assert all(name in script.stdout for name in names)


def test_help_fits_a_terminal():
    assert all(len(line) <= 80 for line in run("firehosectl", "-h").stdout.splitlines())


@pytest.mark.parametrize(
    "line, expected",
    [
        ("firehosectl rel", ["reload"]),
        ("firehosectl log-level de", ["debug"]),
        ("firehosectl -s /tmp/x log-level ", ["debug", "info", "warn", "error", "--json"]),
        ("firehosectl cursor --", ["--json", "--yes"]),
    ],
)
def test_bash_completes(line, expected):
    words = line.split(" ")
    quoted = " ".join(f"'{w}'" for w in words)
    script = f"""
        eval "$({program("firehosectl")} completion bash)"
        COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}
        _firehosectl && printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert done.stderr == ""
    assert sorted(done.stdout.split()) == sorted(expected)


def test_every_answer_is_json_on_demand(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    for arguments in (["status"], ["workers"], ["workers", 2], ["config"], ["config", "redis"], ["cursor"], ["reload"],
                      ["log-level", "info"], ["restart-worker", 0], ["pause"], ["drain"], ["resume"]):  # fmt: skip
        assert isinstance(ctl_json(s.daemon, *arguments), dict), arguments
    assert isinstance(json.loads(ctl(s.daemon, "shutdown", "--json").stdout), dict)
    s.daemon.wait_exit(0)
