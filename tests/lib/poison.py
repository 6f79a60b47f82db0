"""Frames that kill the worker that reads them, and what firehosed must do with them. See tests/tools/killer.c."""

import subprocess

import pytest

import events
import stream
from firehosed import preloaded, program
from waiting import wait_for

MAGIC = "a text that sets off a bug"


def killer(**variables):
    """Returns the environment of a firehosed whose workers have the bug."""
    symbols = subprocess.run(["nm", "-D", program("firehosed")], capture_output=True, text=True).stdout
    if "__asan_" in symbols or "__ubsan_" in symbols or "__tsan_" in symbols:
        pytest.skip("a sanitizer must be the first library of a program")
    return preloaded("killer", **variables)


def poison(s, count=1):
    made = events.make(count, events.after(s.events), text=MAGIC, repos=3)
    s.relay.append(made)
    return made


def assert_put_aside(s, bad, reason):
    """Asserts that each bad event is in the dead letters once, and each other event in the stream once."""
    good = [e for e in s.events if e not in bad]
    stream.wait_seqs(s.db, good, deadline=60)
    wait_for(lambda: s.db.xlen(stream.DEAD_LETTERS) >= len(bad), "the dead letters", 60)
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, good)
    letters = stream.dead_letters(s.db)
    assert [int(letter["seq"]) for letter in letters] == [e.seq for e in bad]
    for letter in letters:
        assert letter["reason"] == reason
    status = s.daemon.assert_balance() or s.daemon.status()
    assert status["quarantined"] == len(bad)


def start(lab, count=200, **variables):
    """Starts a firehosed whose workers have the bug, and feeds it `count` good events."""
    settings = {"worker_timeout": variables.pop("worker_timeout", None)}
    if "KILLER_OOM" in variables:
        settings["sandbox"] = "off"  # this one stands for the kernel, and not for a bug in the worker
    s = lab.system(start=False, workers=2, **settings)
    s.daemon.environment = killer(**variables)
    s.daemon.start()
    s.more(count)
    return s
