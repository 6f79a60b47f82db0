"""Redis comes back with old data. firehosed reads again what Redis has lost."""

import asyncio
import os

import pytest

import events
import stream
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


def set_back(s, size, hold):
    """Kills Redis, cuts its log to that size, and starts it again. The proxy holds the clients named `hold`."""
    s.redis.kill()
    os.truncate(s.redis.append_only_file(), size)
    rule = HoldClient(hold)
    s.proxy.on_link = lambda link: setattr(link, "rule", rule)
    s.redis.start()
    return rule


def test_redis_loses_data_again_before_the_workers_have_seen_it(s):
    """The master reads again from what was left. Then Redis loses more, before a worker has read its marks. The worker
    must not accept them, as its frames begin after the events that are lost now."""
    little = s.redis.append_only_file().stat().st_size
    s.more(50)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    more = s.redis.append_only_file().stat().st_size
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
