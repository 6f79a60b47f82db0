"""Redis is killed while it appends a transaction to its log. It starts without the transaction, but leaves its
beginning in the log, and would execute it at the start after the next."""

import os
import re
import signal

import pytest

import events
import stream
from waiting import hold_for, wait_for

MULTI, EXEC, XADD = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n", b"\r\n$4\r\nXADD\r\n"


def place_within_a_transaction(log):
    """Returns an offset within the third XADD of the last transaction that has three."""
    data = log.read_bytes()
    for begin in [m.start() for m in re.finditer(re.escape(MULTI), data)][::-1]:
        adds = [m.end() for m in re.finditer(re.escape(XADD), data[begin : data.index(EXEC, begin)])]
        if len(adds) > 2:
            return begin + adds[2] + 10
    raise AssertionError("no transaction of three events in the log")


def cut(redis):
    redis.kill()
    log = redis.append_only_file()
    os.truncate(log, place_within_a_transaction(log))


def start_cut(s):
    cut(s.redis)
    s.redis.start()
    assert "Truncating the AOF" in s.redis.log_tail(50)


def rewrites(s):
    return "Background AOF rewrite finished successfully" in s.redis.log_tail(200)


@pytest.fixture
def s(lab):
    s = lab.system(events.make(300), start=False, redis_options={"aof": True}, workers=2, cursor_interval="100ms")
    s.daemon.start()
    s.assert_all()
    s.wait_cursor(s.events[-1].seq)
    return s


def assert_whole_after_another_start(s):
    s.more(100)
    s.wait_delivered()
    s.redis.restart()
    s.more(100)
    s.assert_all(strict=False)
    s.assert_delivered()
    assert "can not be nested" not in s.redis.log_tail(200)


def test_half_a_transaction_in_the_log_is_never_executed(s):
    start_cut(s)
    s.daemon.wait_log(r"redis .*: its append-only log.* is being written anew")
    assert_whole_after_another_start(s)


def test_nor_where_firehosed_was_away_meanwhile(s):
    s.daemon.kill()
    start_cut(s)
    s.daemon.start()
    s.wait_delivered()
    assert rewrites(s)
    assert_whole_after_another_start(s)


def slow_to_rewrite(s):
    """Cuts the log and starts Redis again, which then takes long to rewrite its log."""
    cut(s.redis)
    s.redis.lines["rdb-key-save-delay"] = 200_000  # µs for each of some seventy keys
    s.redis.start()
    wait_for(s.redis.rewriter, "Redis to write its log anew")


def test_nor_where_redis_is_killed_while_it_writes_the_log_anew(s):
    """firehosed adds nothing before the rewrite has ended."""
    slow_to_rewrite(s)
    last = s.db.xinfo_stream(stream.STREAM)["last-generated-id"]
    s.more(100)
    s.daemon.wait_log("is being written anew: waiting", count=2)
    hold_for(lambda: s.db.xinfo_stream(stream.STREAM)["last-generated-id"] == last, 1.5, "nothing to be added")
    s.redis.kill()
    del s.redis.lines["rdb-key-save-delay"]
    s.redis.start_as_init()  # Redis 7 refuses the first start, as the previous log is cut
    assert_whole_after_another_start(s)


def test_a_log_that_cannot_be_written_anew_is_told_and_keeps_nothing_out(s):
    slow_to_rewrite(s)
    s.more(100)
    os.kill(s.redis.rewriter(), signal.SIGKILL)
    s.daemon.wait_log(r"warn .*redis .*append-only log.*events may be doubled")
    s.wait_delivered()


def test_first_start_asks_for_nothing(lab):
    s = lab.system(events.make(100), redis_options={"aof": True})
    s.assert_all()
    assert not rewrites(s)
    assert not s.daemon.log_lines("append-only log")


def test_where_it_may_not_be_asked_for_it_is_said_and_work_goes_on(lab):
    s = lab.system(events.make(100), redis_options={"aof": True, "rename_command": 'BGREWRITEAOF ""'})
    s.assert_all()
    sound = s.db.hget("firehose:progress", "run")
    assert sound == s.db.info("server")["run_id"]
    s.redis.restart()
    s.more(100)
    s.assert_all()
    s.daemon.wait_log(r"warn .*redis .*append-only log.*\(ERR unknown command.*\): events may be doubled")
    s.daemon.stop()
    s.daemon.start()
    s.more(100)
    s.assert_all(strict=False)
    assert s.db.hget("firehose:progress", "run") == sound  # the log of this run is not known to be sound
    assert not rewrites(s)


def test_where_redis_may_not_be_asked_it_is_said_and_work_goes_on(lab):
    s = lab.system(events.make(100), redis_options={"aof": True, "rename_command": 'INFO ""'})
    s.assert_all()
    s.redis.restart()
    s.more(100)
    s.assert_all()
    s.daemon.wait_log(r"warn master.*redis .*append-only log.*\(ERR unknown command.*INFO.*\): events may be doubled")


def test_log_that_redis_fails_to_write_anew_later_is_sound_still(s):
    """The log of this run of Redis was sound once. firehosed notes that with the next cursor, and does not ask
    again."""
    s.redis.restart()
    s.more(100)
    s.assert_all()
    s.wait_cursor(s.events[-1].seq)
    s.db.config_set("rdb-key-save-delay", 200_000)
    s.db.bgrewriteaof()
    os.kill(wait_for(s.redis.rewriter, "Redis to write its log anew"), signal.SIGKILL)
    wait_for(lambda: s.db.info("persistence")["aof_last_bgrewrite_status"] == "err", "that to have failed")
    waited = len(s.daemon.log_lines("append-only log"))
    s.redis.kill_daemon_clients()
    s.more(100)
    s.assert_all()
    assert len(s.daemon.log_lines("append-only log")) == waited


def test_a_reload_ends_the_waiting(s):
    """The reload also helps workers that hold events and wait for Redis."""
    s.redis.kill()
    s.more(100)
    s.daemon.wait_status(lambda status: status["received"] == len(s.events), "to receive all that was sent")
    s.redis.lines["rdb-key-save-delay"] = 2_000_000
    s.redis.start()
    s.daemon.wait_log("is being written anew: waiting", count=2)
    s.daemon.write_config(redis_rewrite_aof="no")
    s.daemon.signal(signal.SIGHUP)
    s.daemon.wait_log("configuration reloaded")
    s.assert_all()
    assert s.redis.rewriter()


def test_not_where_the_configuration_forbids_it(lab):
    s = lab.system(events.make(100), redis_options={"aof": True}, redis_rewrite_aof="no")
    s.assert_all()
    s.redis.restart()
    s.more(100)
    s.assert_all()
    assert not rewrites(s)
    assert not s.daemon.log_lines("append-only log")
