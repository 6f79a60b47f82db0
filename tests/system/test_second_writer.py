"""A second writer on the stream is noticed, and nothing of our own is taken for one."""

import os
import signal

import pytest

import events
import stream
from waiting import wait_for

FOREIGN = r"error .*another writer adds to firehose:events: \d+ entries in \d+ s are not from this firehosed"


@pytest.fixture
def s(lab):
    s = lab.system(events.make(500), workers=2)
    if s.db.info("server")["redis_version"].startswith("6"):
        pytest.skip("Redis 6 does not tell entries-added")
    s.wait_delivered()
    return s


def asked(s):
    """Returns how often firehosed has asked Redis about the stream, since this Redis started."""
    return s.db.info("commandstats").get("cmdstat_xinfo|stream", {}).get("calls", 0)


def pass_samples(s, count, between=lambda: None):
    """Calls between() until Redis was asked `count` more times."""
    last = asked(s) + count

    def passed():
        between()
        return asked(s) >= last

    wait_for(passed, f"{count} samples", deadline=60)


def foreign_entries(s):
    return s.daemon.status()["redis"]["foreign_entries"]


def test_a_second_writer_is_named_and_counted(s):
    added = 0

    def write_beside():
        nonlocal added
        for _ in range(50):
            s.db.xadd(stream.STREAM, {"type": "commit", "data": "{}", "seq": 1})
        added += 50
        s.more(20)
        return foreign_entries(s) > 0

    wait_for(write_beside, "foreign entries", deadline=60)
    s.daemon.wait_log(FOREIGN)
    assert foreign_entries(s) <= added


def test_kills_of_workers_and_of_redis_are_no_second_writer(lab):
    s = lab.system(events.make(500), workers=2, redis_options={"appendonly": "yes", "appendfsync": "always"})
    s.wait_delivered()

    def kill_a_worker():
        s.more(400)
        for pid in s.daemon.worker_pids()[:1]:
            os.kill(pid, signal.SIGKILL)

    pass_samples(s, 8, kill_a_worker)
    for _ in range(3):
        s.more(400)
        s.redis.restart()
        pass_samples(s, 2, lambda: s.more(20))
    pass_samples(s, 8, lambda: s.more(20))
    assert foreign_entries(s) == 0
    assert s.daemon.log_lines("another writer") == []


def test_a_redis_that_refuses_xinfo_is_no_trouble(lab):
    s = lab.system(events.make(200), start=False)
    s.db.execute_command("ACL", "SETUSER", "default", "-xinfo")
    s.daemon.start()
    s.assert_all()
    s.daemon.wait_status(lambda status: status["redis"]["stream_length"] == s.db.xlen(stream.STREAM), "to ask Redis")
    assert foreign_entries(s) == 0 and s.daemon.status()["redis"]["note"] == ""
    assert s.daemon.log_lines("(?i)xinfo") == []
