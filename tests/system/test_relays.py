"""Failover to another relay and failback. Each relay has a cursor of its own, and no event is lost or doubled.

A `Network` has the posts. Each relay gives them seqs of its own."""

import os
import random
import re
from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest

import events
import frames
import relay as ws
import stream
from firehosed import clean_environment, preloaded, run
from waiting import wait_for

BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)
POST = "app.bsky.feed.post"


class Network:
    """Posts of some repos, one each second. Each relay has its own first seq, and its own gaps."""

    def __init__(self, repos=20, seed=1):
        self.chance = random.Random(seed)
        self.repos = [events.repo(n) for n in range(repos)]
        self.happened = []  # (number, repo)

    def more(self, count):
        first = len(self.happened)
        fresh = [(n, self.chance.choice(self.repos)) for n in range(first, first + count)]
        self.happened += fresh
        return fresh

    @staticmethod
    def seen_by(posts, first_seq, step=1, **more):
        """Returns the events that a relay makes of these posts."""
        made = []
        for number, did in posts:
            seq = first_seq + number * step
            time = (BEGAN + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            record = {"$type": POST, "text": f"post {number}", "createdAt": time, **more}
            frame = frames.commit(seq, did, [frames.create(f"{POST}/{frames.tid(number)}", record)],
                                  rev=frames.tid(1000 + number), time=time)  # fmt: skip
            made.append(events.Event(seq, did, frame))
        return made


A, B = dict(first_seq=31_000_000_000, step=2), dict(first_seq=5_000, step=1)


class TwoRelays:
    def __init__(self, lab, redis=None, relay_failback="0s", **settings):
        self.network = Network()
        self.a, self.b = lab.relay([]), lab.relay([])
        self.redis = redis or lab.redis()
        self.db = self.redis.client()
        self.daemon = lab.firehosed(relay=f"{self.a.url}, {self.b.url}", redis=self.redis.url(), relay_attempts=2,
                                    relay_backoff="50ms", relay_backoff_max="200ms", relay_failback=relay_failback,
                                    **settings)  # fmt: skip

    def happens(self, count, a=True, b=True):
        posts = self.network.more(count)
        if a:
            self.a.append(Network.seen_by(posts, **A))
        if b:
            self.b.append(Network.seen_by(posts, **B))
        return posts

    def texts(self):
        return [op["record"]["text"] for e in stream.entries(self.db) for op in e.data["ops"]]

    def wait_all(self):
        wanted = {f"post {n}" for n, _ in self.network.happened}
        wait_for(lambda: wanted <= set(self.texts()),
                 lambda: f"all posts; missing: {sorted(wanted - set(self.texts()))[:5]}")  # fmt: skip

    def assert_each_once_and_in_order(self):
        self.wait_all()
        self.daemon.wait_settled()
        doubled = [text for text, n in Counter(self.texts()).items() if n > 1]
        assert not doubled, f"{len(doubled)} doubled: {doubled[:5]}"
        last = {}
        for entry in stream.entries(self.db):
            number = int(entry.data["ops"][0]["record"]["text"].split()[1])
            assert number > last.get(entry.data["repo"], -1)
            last[entry.data["repo"]] = number
        self.daemon.assert_balance()

    def goes_over(self, meanwhile=0):
        """Stops the first relay, which never gets the posts of this time, and waits for the failover."""
        self.a.stop()
        self.happens(meanwhile, a=False)
        self.wait_current(self.b)

    def wait_current(self, relay):
        self.daemon.wait_status(
            lambda s: [r["name"] for r in s["relays"] if r["current"]] == [relay.authority] and s["relay"]["connected"],
            f"to read {relay.authority}",
        )


@pytest.fixture
def reading_first(lab):
    """Returns a function that starts a daemon with two relays, and waits for the posts of the first."""

    def start(happened=100, **settings):
        s = TwoRelays(lab, **settings)
        s.happens(happened)
        s.daemon.start()
        s.wait_all()
        return s

    return start


def test_next_relay_takes_over_and_each_post_is_there_once(reading_first):
    s = reading_first(300)
    s.goes_over(meanwhile=50)
    s.happens(50, a=False)
    s.assert_each_once_and_in_order()
    s.daemon.wait_log(f"going over to {s.b.authority}")
    assert s.daemon.status()["relay_changes"] == 1
    assert s.daemon.status()["duplicate"] > 0  # firehosed has recognised the overlap


def test_going_over_while_redis_is_away_is_not_taken_for_lost_data(lab, reading_first):
    """The other relay has a lower cursor or none. This does not mean that Redis has lost data."""
    s = reading_first(redis=lab.redis(aof=True))
    wait_for(lambda: s.db.get(stream.CURSOR) == str(s.a.log[-1].seq), "the cursor to be saved")
    s.redis.stop()
    s.a.stop()
    s.daemon.wait_log(f"going over to {s.b.authority}")
    s.redis.restart()
    s.wait_current(s.b)  # a live event of this relay tells firehosed where to begin
    s.happens(50, a=False)
    s.assert_each_once_and_in_order()
    assert not s.daemon.log_lines("lost data|is gone altogether")


def test_place_to_begin_at_is_found_far_back_in_a_long_sequence(reading_first):
    """The other relay has advanced by more than one step of the search while the first one was away."""
    s = reading_first()
    s.goes_over(meanwhile=6000)
    s.happens(5, a=False)
    s.assert_each_once_and_in_order()
    s.daemon.wait_log("looking further back")
    s.daemon.wait_log("beginning with seq")


def test_worker_that_lies_about_its_newest_event_does_not_say_where_the_next_relay_begins(reading_first):
    """The worker reports that its events are of this moment, but they are months old. If firehosed believed it, it
    would begin with live events of the other relay."""
    s = reading_first(workers=1, environment=preloaded("misbehave"))
    s.a.append(Network.seen_by(s.network.more(1), **A, order="misbehave:flatter;"))
    s.happens(20)
    s.wait_all()
    s.daemon.wait_status(lambda status: status["lag_s"] is not None and status["lag_s"] < 60, "a short lag")
    s.goes_over(meanwhile=200)
    s.happens(5, a=False)
    s.wait_all()


def test_first_relay_is_read_again_when_it_answers_at_its_own_cursor(reading_first):
    s = reading_first(200, relay_failback="1s")
    at_failure = s.network.happened[-1][0] * A["step"] + A["first_seq"]
    wait_for(lambda: s.db.get(stream.CURSOR) == str(at_failure), "the cursor to be saved")
    s.goes_over()
    s.happens(100)
    s.wait_all()
    assert s.db.get(stream.CURSOR) == str(at_failure), "the first relay's cursor is its own"
    assert s.db.exists(f"{stream.CURSOR}:{s.b.authority}")
    s.a.start()
    s.wait_current(s.a)
    s.happens(100)
    s.assert_each_once_and_in_order()
    assert s.daemon.status()["relay_changes"] == 2
    assert s.a.upgraded()[-1].cursor == at_failure


def test_first_relay_that_answers_but_fails_is_tried_in_vain(reading_first):
    s = reading_first(relay_failback="1s")
    s.goes_over()

    async def drop(connection):
        connection.drop()

    s.a.default = drop
    s.a.start()
    s.daemon.wait_log(f"going over to {s.a.authority}")
    s.wait_current(s.b)
    s.happens(100)
    s.assert_each_once_and_in_order()


def test_there_and_back_again_many_times(reading_first):
    s = reading_first(50)
    for _ in range(3):
        s.a.stop()
        s.happens(40)
        s.wait_current(s.b)
        s.happens(40)
        s.wait_all()
        s.a.start()
        s.b.stop()
        s.happens(40)
        s.wait_current(s.a)
        s.happens(40)
        s.wait_all()
        s.b.start()
    s.assert_each_once_and_in_order()
    assert s.daemon.status()["relay_changes"] == 6


def test_restart_on_the_other_relay_goes_on_with_its_cursor_when_the_first_is_away(reading_first):
    s = reading_first()
    s.goes_over(meanwhile=50)
    s.happens(50, a=False)
    s.wait_all()
    s.daemon.stop()
    s.happens(50, a=False)
    s.daemon.start()
    s.wait_current(s.b)
    s.assert_each_once_and_in_order()


def test_restart_on_another_relay_that_was_never_read_loses_nothing_of_the_first(reading_first):
    """firehosed does not know where to begin with that relay. The missing posts come when the first relay is back, also
    those of repos that had a newer one."""
    s = reading_first()
    s.daemon.stop()
    s.a.stop()
    s.happens(50)
    s.daemon.write_config(relay_failback="1s", start="live")
    s.daemon.start(wait=False)
    s.wait_current(s.b)
    live = s.happens(50, a=False)
    wait_for(lambda: {f"post {n}" for n, _ in live} <= set(s.texts()), "what is live")
    s.a.start()
    s.wait_all()


def test_new_sequence_of_another_relay_that_is_to_stop_names_its_own_cursor(reading_first):
    s = reading_first(on_sequence_reset="stop")
    s.goes_over(meanwhile=20)
    s.happens(5, a=False)  # a live event starts the search for the place to begin
    s.wait_all()
    s.b.stop()

    async def future(connection):
        await connection.upgrade()
        await connection.send(ws.frame(ws.BINARY, frames.error("FutureCursor", "Cursor in the future.")))

    s.b.script(future)
    s.b.start()
    s.daemon.wait_exit(79)
    s.daemon.wait_log(f"or delete {stream.CURSOR}:{s.b.authority}$")


def test_other_order_of_relays_by_reload_loses_and_doubles_nothing(reading_first):
    s = reading_first(200)
    s.daemon.reload(relay=f"{s.b.url}, {s.a.url}")
    s.wait_current(s.b)
    s.happens(100)
    s.assert_each_once_and_in_order()


def test_relay_that_asks_for_a_pause_of_a_day_is_left_at_once(lab):
    two = TwoRelays(lab)
    two.a.script(ws.refuse(503, "Service Unavailable", ["Retry-After: 86400"]))
    two.daemon.start(wait=False)
    two.daemon.wait_log("warn .*going over to")
    two.b.wait_connections(1)
    two.happens(50, a=False)
    two.wait_all()


def test_relays_that_all_ask_for_a_pause_of_a_day_are_not_asked_in_turns(lab):
    two = TwoRelays(lab)
    for relay in (two.a, two.b):
        relay.script(*[ws.refuse(503, "Service Unavailable", ["Retry-After: 86400"])] * 1000)
    two.daemon.start(wait=False)
    two.daemon.wait_log("warn .*going over to")
    two.b.wait_connections(1)
    seen = two.daemon.status()["uptime_s"]
    two.daemon.wait_status(lambda s: s["uptime_s"] > seen + 2, "to have had time for more")
    assert (len(two.a.connections), len(two.b.connections)) == (1, 1)
    assert two.daemon.status()["relay_changes"] == 1


def test_relay_added_behind_changes_nothing(lab):
    """firehosed remembers repos from then on. After the failover it recognises repos that had an event since."""
    s = TwoRelays(lab)
    s.daemon.write_config(relay=s.a.url)
    s.happens(100)
    s.daemon.start()
    s.wait_all()
    s.daemon.reload(relay=f"{s.a.url}, {s.b.url}")
    s.daemon.wait_log("configuration reloaded")
    s.wait_current(s.a)
    s.happens(5000)  # the memory of what was taken begins now; the search for the beginning goes back 4,096 seqs
    s.wait_all()
    s.goes_over()
    s.happens(50)
    s.assert_each_once_and_in_order()


def test_kills_while_going_over_lose_and_double_nothing(reading_first):
    s = reading_first(400)
    s.a.stop()
    for pid in s.daemon.worker_pids():
        os.kill(pid, 9)
    s.happens(100, a=False)
    s.wait_current(s.b)
    s.happens(20, a=False)
    s.assert_each_once_and_in_order()


@pytest.mark.parametrize(
    ("relay", "expected"),
    [
        ("ws://one.example, ws://one.example/", "is there twice"),
        ("ws://one.example http://two.example", "two.example|ws://"),
        (",", "no relay|expected"),
        (" ".join(f"ws://r{n}.example" for n in range(9)), "too many relays"),
    ],
)
def test_wrong_list_is_refused(tmp_path, relay, expected):
    path = tmp_path / "firehosed.conf"
    path.write_text(f"relay = {relay}\n")
    done = run("firehosed", "-t", "-c", path, environment=clean_environment())
    assert done.returncode == 78
    assert re.search(rf":1: relay: .*({expected})", done.stderr), done.stderr


def test_redis_loses_data_while_going_over_and_gets_it_again_from_the_relay_that_was_left(lab):
    """What is in the ring must not be written: its marks would hide what is lost."""
    s = TwoRelays(lab, redis=lab.redis(aof=True), redis_rewrite_aof="no", workers=1, cursor_interval="100ms")
    s.happens(100)
    s.daemon.start()
    s.wait_all()
    cursor_is_saved = lambda: s.db.get(stream.CURSOR) == str(s.a.log[-1].seq)  # noqa: E731
    wait_for(cursor_is_saved, "the cursor of the first relay")
    before = s.redis.append_only_file().stat().st_size
    lost = s.happens(50, b=False)
    s.wait_all()
    wait_for(cursor_is_saved, "the cursor behind what will be lost")
    s.redis.freeze()
    s.happens(50)
    s.daemon.wait_status(lambda st: st["in_flight"] == 50, "to have events in the ring")
    s.a.stop()
    s.daemon.wait_status(lambda st: st["state"] == "resetting", "to go over")
    s.redis.kill()
    os.truncate(s.redis.append_only_file(), before)
    s.redis.start()
    s.wait_current(s.b)
    s.happens(20)
    s.a.start()
    s.b.stop()
    s.wait_current(s.a)
    s.happens(20, b=False)
    s.wait_all()
    assert {f"post {n}" for n, _ in lost} <= set(s.texts())
    s.daemon.assert_balance()
