"""Redis comes back with old data. firehosed reads again what Redis has lost."""

import asyncio
import os
import signal

import pytest

import events
import frames
import stream
from control import ctl_json
from processes import freeze
from relay import sent_in
from waiting import wait_for


class HoldClient:
    """Holds all bytes of clients with this name, until `opened` is true."""

    def __init__(self, name):
        self.name, self.held, self.opened = name, 0, False

    async def see(self, link, direction, data):
        while not self.opened and (link.name or "").startswith(self.name):
            self.held = max(self.held, 1)
            await asyncio.sleep(0.01)
        return data


@pytest.fixture
def s(lab):
    """A firehosed and a Redis that logs each write to one file, with a proxy between them."""
    s = lab.system_behind_proxy(events.make(100), workers=1, redis_options={"aof": True}, redis_rewrite_aof="no",
                                cursor_interval="100ms")  # fmt: skip
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    return s


def size_of_log(s):
    return s.redis.append_only_file().stat().st_size


def set_back(s, size, hold=""):
    """Kills Redis, cuts its log to that size, and starts it again. The proxy holds new clients named `hold`."""
    s.redis.kill()
    os.truncate(s.redis.append_only_file(), size)
    rule = HoldClient(hold)
    s.proxy.on_link = (lambda link: setattr(link, "rule", rule)) if hold else None
    s.redis.start()
    return rule


def test_redis_loses_data_again_before_the_workers_have_seen_it(s):
    """The master reads again from what was left. Then Redis loses more, before a worker has read its marks. The worker
    must not accept them, as its frames begin after the events that are lost now."""
    little = size_of_log(s)
    s.more(50)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    more = size_of_log(s)
    s.more(50)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    workers = set_back(s, more, "firehosed-worker")
    s.daemon.wait_status(lambda status: status["rewinds"] == 1 and status["state"] == "running", "to read again")
    wait_for(lambda: workers.held, "the worker to ask")
    master = set_back(s, little, "firehosed-master")
    workers.opened = True
    s.daemon.wait_log("redis has lost data: marks .* are older")
    master.opened = True
    s.wait_delivered()
    s.assert_delivered()
    assert s.daemon.wait_settled()["rewinds"] == 2


def test_redis_goes_back_to_an_earlier_firehosed_before_the_first_cursor_is_saved(lab):
    """Nothing is written before Redis has the cursor in front of the first event. That holds after a rewind, too."""
    s = lab.system(workers=2)
    s.daemon.wait_connected()
    s.db.save()
    s.daemon.stop()
    s.daemon.start()
    s.daemon.wait_connected()
    s.redis.freeze()
    s.more(200)
    s.daemon.wait_status(lambda status: status["received"] == 200, "to have read all")
    s.redis.kill()
    s.redis.start()
    s.daemon.wait_status(lambda status: status["rewinds"] == 1 and status["state"] == "running", "to read again")
    s.more(100)
    s.assert_all()
    s.wait_cursor(s.events[-1].seq)


def test_redis_as_it_was_before_the_first_cursor_gets_all_of_it_again(lab):
    """Redis has lost all that this process has written, but not the hash of the marks. firehosed goes back to its
    start."""
    s = lab.system(redis=lab.redis(), workers=2, cursor_interval="100ms")
    s.daemon.wait_connected()
    s.db.save()
    assert s.db.hgetall("firehose:progress") and not s.db.exists(stream.CURSOR)
    s.more(500)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.redis.kill()
    s.redis.start()
    s.more(200)
    s.assert_all()
    assert s.daemon.status()["rewinds"] >= 1


def test_ack_for_what_redis_has_lost_saves_no_cursor(s):
    """A slow worker has the answer to its EXEC, and has not read it. Redis loses that transaction, and the master finds
    all that it knows of. Then the worker acks, and the master's connection breaks once more before the worker asks
    Redis."""
    little = size_of_log(s)
    (worker,) = s.daemon.worker_pids()
    (link,) = s.proxy.current("firehosed-worker")
    s.proxy.call(link.hold, "down")
    answered = link.bytes["down"]
    made = s.more(50)
    s.wait_delivered()
    freeze(worker)
    s.proxy.call(link.release)
    wait_for(lambda: link.bytes["down"] > answered, "the answer to EXEC to be sent")
    workers = set_back(s, little, "firehosed-worker")
    s.daemon.wait_log("redis: connected again")
    os.kill(worker, signal.SIGCONT)
    wait_for(lambda: s.db.get(stream.CURSOR) == str(made[-1].seq) or s.daemon.log_lines("redis has lost data"),
             "the ack to be used")  # fmt: skip
    for link in s.proxy.current("firehosed-master"):
        s.proxy.call(link.cut)
    s.daemon.wait_log("redis: connected again", count=2)
    workers.opened = True
    s.assert_all()
    assert s.daemon.status()["rewinds"] >= 1


def seqs_of(made):
    return sorted(e.seq for e in made if e.is_delivered)


def test_redis_as_it_was_before_a_new_sequence_gets_all_of_the_new_one(s):
    """The old sequence's marks are higher than all seqs of the new one: none of them may count as a duplicate."""
    before, old = size_of_log(s), s.events[:]
    s.relay.stop()
    s.relay.log[:] = new = events.make(60, events.FIRST_SEQ // 2)
    error = events.other(frames.error("FutureCursor", "Cursor in the future."))
    s.relay.script(sent_in([error]))
    s.relay.start()
    s.daemon.wait_status(lambda status: status["resets"] == 1 and status["state"] == "running", "the new sequence")
    s.relay.drop_all()
    s.wait_cursor(new[-1].seq)
    set_back(s, before)
    later = s.more(60)
    stream.wait_seqs(s.db, [*old, *new, *later])
    s.wait_cursor(later[-1].seq)
    assert sorted(stream.seqs(s.db)) == seqs_of([*old, *new, *later])
    assert int(s.db.hget("firehose:progress", "cursor")) == later[-1].seq
    assert s.daemon.status()["rewinds"] == 1 and s.daemon.status()["resets"] == 1


def test_redis_as_it_was_before_an_operator_set_the_cursor_back_gets_the_events_again(s):
    before = size_of_log(s)
    ctl_json(s.daemon, "drain")
    ctl_json(s.daemon, "cursor", "set", s.events[49].seq, "--yes")
    ctl_json(s.daemon, "resume")
    again = s.events[50:]
    s.wait_length(len(seqs_of(s.events)) + len(seqs_of(again)))
    s.wait_cursor(s.events[-1].seq)
    set_back(s, before)
    later = s.more(10)
    stream.wait_seqs(s.db, later)
    s.wait_cursor(later[-1].seq)
    assert sorted(stream.seqs(s.db)) == sorted([*seqs_of(s.events), *seqs_of(again)])


def test_redis_as_it_was_before_the_last_reset_holds_no_further_reset_up(s):
    """Workers still have events of the sequence that ends, and all slots have an earlier owner again. The events reach
    the stream, and the new sequence begins."""
    before = size_of_log(s)
    ctl_json(s.daemon, "drain")
    ctl_json(s.daemon, "cursor", "set", s.events[-1].seq, "--yes")
    ctl_json(s.daemon, "resume")
    s.daemon.wait_connected()
    old = [*s.events, *s.more_in_flight(50)]
    s.relay.script(sent_in([events.other(frames.error("FutureCursor", "Cursor in the future."))]))
    s.relay.drop_all()
    s.daemon.wait_status(lambda status: status["state"] == "resetting", "the new sequence")
    s.relay.log[:] = new = events.make(60, events.FIRST_SEQ // 2)
    set_back(s, before)
    stream.wait_seqs(s.db, [*old, *new])
    s.wait_cursor(new[-1].seq)
    assert sorted(stream.seqs(s.db)) == seqs_of([*old, *new])
    assert s.daemon.status()["resets"] == 1


def test_reset_goes_on_where_redis_went_back_before_the_first_cursor_was_saved(lab):
    """The workers wait for the first cursor, which cannot be saved any more: its sequence has ended."""
    s = lab.system_behind_proxy([], workers=1, redis_options={"aof": True}, redis_rewrite_aof="no",
                                cursor_interval="100ms")  # fmt: skip
    s.daemon.wait_connected()
    s.daemon.stop()
    before = size_of_log(s)
    s.daemon.start()
    s.daemon.wait_connected()
    wait_for(lambda: size_of_log(s) > before, "the slots to be taken")
    s.redis.freeze()
    s.more(30)
    s.daemon.wait_status(lambda status: status["in_flight"] >= 30, "to have events in the ring")
    s.relay.script(sent_in([events.other(frames.error("FutureCursor", "Cursor in the future."))]))
    s.relay.drop_all()
    s.daemon.wait_status(lambda status: status["state"] == "resetting", "to reset")
    new = events.make(60, events.FIRST_SEQ // 2)
    s.relay.log[:] = new
    set_back(s, before)
    stream.wait_seqs(s.db, new)
    assert s.daemon.wait_settled()["state"] == "running"
