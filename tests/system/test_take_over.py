"""A second firehosed on the same keys takes over from the first, and no event is lost or doubled."""

import os
import signal

import pytest

import stream
from processes import freeze
from waiting import wait_for

TAKEN_OVER = 76


def successor(lab, s, **settings):
    return lab.firehosed(start=True, relay=s.relay.url, redis=s.redis.url(), **settings)


def assert_all(s, daemon):
    s.wait_delivered(60)
    daemon.wait_settled()
    stream.assert_delivered(s.db, s.events)
    daemon.assert_balance()


def test_idle_firehosed_is_taken_over(lab):
    """The first firehosed has nothing to write, but still notices the other one."""
    s = lab.system(workers=2)
    s.more(300)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    second = successor(lab, s)
    s.daemon.wait_exit(TAKEN_OVER)
    s.daemon.wait_log("error .*another firehosed has taken over")
    s.more(200)
    assert_all(s, second)


def test_taken_over_under_full_load_again_and_again(lab):
    """A -> B -> C -> D: each step is an upgrade without a gap."""
    s = lab.system(workers=2, batch_events=50)
    s.more(4000)
    now = s.daemon
    for workers in (3, 1, 4):
        done = s.db.xlen(stream.STREAM)
        all_there = sum(e.is_delivered for e in s.events)
        wait_for(lambda: s.db.xlen(stream.STREAM) > done or s.db.xlen(stream.STREAM) >= all_there, "some events")
        s.more(2000)
        before, now = now, successor(lab, s, workers=workers, batch_events=50)
        before.wait_exit(TAKEN_OVER)
        s.more(500)
    assert_all(s, now)


def test_taken_over_before_it_goes_over_to_another_relay_does_not_take_the_slots_back(lab):
    other = lab.relay()
    s = lab.system(start=False, cursor_interval="60s")
    s.daemon.write_config(relay=f"{s.relay.url}, {other.url}", relay_attempts=1, relay_backoff="50ms")
    s.daemon.start()
    s.more(100)
    s.wait_delivered()
    second = lab.firehosed(start=True, relay=other.url, redis=s.redis.url(), cursor_key="other:cursor",
                           progress_key="other:progress", cursor_interval="60s")  # fmt: skip
    second.wait_connected()
    s.relay.stop()
    s.daemon.wait_exit(TAKEN_OVER)
    s.daemon.wait_log("going over to")
    assert second.is_running()
    assert second.status()["relay"]["connected"]


def test_taken_over_while_it_reloads_does_not_take_the_slots_back(lab):
    s = lab.system(workers=2, cursor_interval="60s")
    s.more(100)
    s.wait_delivered()
    second = successor(lab, s)
    second.wait_connected()
    if s.daemon.is_running():
        s.daemon.reload(workers=3)
    s.daemon.wait_exit(TAKEN_OVER)
    s.more(300)
    assert_all(s, second)
    assert second.is_running()


def test_the_old_one_cannot_write_the_cursor_any_more(lab):
    """The first firehosed is stopped before its write. When it goes on, it changes nothing."""
    s = lab.system(workers=1)
    s.more(200)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    freeze(s.daemon.process.pid)
    s.more(50)
    second = successor(lab, s)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.db.config_resetstat()
    before = s.db.info("commandstats")
    os.kill(s.daemon.process.pid, signal.SIGCONT)
    s.daemon.wait_exit(TAKEN_OVER)
    assert s.db.get(stream.CURSOR) == str(s.events[-1].seq)
    assert before is not None
    s.more(50)
    assert_all(s, second)


def test_redis_that_forgets_who_took_over_does_not_leave_nobody(lab):
    """The slots belong to the first firehosed again, which has ended. The second one must not end, too."""
    s = lab.system(workers=2)
    s.more(300)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.db.save()
    second = successor(lab, s)
    s.daemon.wait_exit(TAKEN_OVER)
    s.more(300)
    s.wait_delivered()
    s.redis.kill()
    s.redis.start()
    s.more(300)
    s.wait_delivered(60)
    assert second.is_running()
    second.wait_log("error .*redis has lost data")
    second.wait_settled()
    stream.assert_delivered(s.db, s.events)


@pytest.mark.parametrize("step", [1, -1])
def test_number_of_workers_changed_many_times_under_full_load(lab, step):
    s = lab.system(workers=1, batch_events=40)
    s.more(3000)
    for workers in list(range(1, 9))[::step] * 2:
        s.daemon.reload(workers=workers)
        made = s.more(400)
        wait_for(lambda: len(s.daemon.worker_pids()) == workers, f"{workers} workers")
    assert made
    s.assert_all(deadline=60)


def test_end_while_the_slots_are_being_taken(lab):
    s = lab.system(workers=4)
    s.more(100)
    s.wait_delivered()
    s.redis.freeze()
    s.daemon.reload(workers=2)
    s.daemon.wait_log("configuration reloaded")
    s.more(100)
    s.daemon.wait_status(lambda status: status["received"] == 200, "to have received all")
    s.daemon.signal(signal.SIGTERM)
    s.redis.thaw()
    s.daemon.wait_exit(0)
    s.daemon.start()
    s.assert_all()
