"""Redis comes back as it was some time ago: what it had confirmed since is gone, and has to be read again."""

import asyncio
import os

import pytest

import events
import stream
from waiting import wait_for


class HoldClient:
    """Lets nothing of a client with this name through, until it is told to."""

    def __init__(self, name):
        self.name, self.held, self.opened = name, 0, False

    async def see(self, link, direction, data):
        while not self.opened and (link.name or "").startswith(self.name):
            self.held = max(self.held, 1)
            await asyncio.sleep(0.01)
        return data


@pytest.fixture
def s(lab):
    """firehosed before a Redis that logs each write, to one file, with a proxy between them that can keep clients waiting."""
    s = lab.system_behind_proxy(events.make(100), workers=1, redis_options={"aof": True}, redis_rewrite_aof="no",
                                cursor_interval="100ms")  # fmt: skip
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    return s


def set_back(s, size, hold):
    """Kills Redis, cuts its log to that size, and starts it again; clients of that name do not come through."""
    s.redis.kill()
    os.truncate(s.redis.append_only_file(), size)
    rule = HoldClient(hold)
    s.proxy.on_link = lambda link: setattr(link, "rule", rule)
    s.redis.start()
    return rule


def test_redis_loses_data_again_before_the_workers_have_seen_it(s):
    """It is read again from what was left. A worker that first sees the marks when even less is left must not take those
    for its own: what it is sent begins behind what is lost now."""
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


def test_redis_as_it_was_before_the_first_cursor_gets_all_of_it_again(lab):
    """All that this process has written is gone, but not the hash of the marks: it goes back to where it began."""
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
