"""The first start on a stream that another service has written so far: nothing is doubled, and nothing is missing."""

import json

import pytest

import events
import stream
from waiting import wait_for


def leave(s, left):
    """Adds these events to the stream as the service before did: one entry an event, without marks."""
    pipe = s.db.pipeline()
    for e in left:
        if e.is_delivered:
            pipe.xadd(stream.STREAM, {"type": "commit", "data": '{"repo":"%s","ops":[]}' % e.repo, "seq": e.seq})
    pipe.execute()


def assert_each_once(s, wanted):
    stream.wait_seqs(s.db, wanted)
    s.daemon.wait_settled()
    assert sorted(stream.seqs(s.db)) == [e.seq for e in wanted if e.is_delivered]
    s.daemon.assert_balance()


@pytest.fixture
def s(lab):
    return lab.system(events.make(3000), start=False, workers=2)


def test_events_behind_the_saved_cursor_are_not_written_again(s):
    """The old service saved its cursor every few seconds, and was killed."""
    made = s.events
    leave(s, made[:2000])
    s.db.set(stream.CURSOR, made[700].seq)
    s.daemon.start()
    s.daemon.wait_log(r"info .*\d+ events behind cursor \d+ are in firehose:events already")
    assert_each_once(s, made)


def test_gaps_that_several_old_workers_left_are_filled(s):
    made = s.events
    missing = made[1000:2000:7]
    left = [e for e in made[:2000] if e not in missing]
    left[-50:] = reversed(left[-50:])
    leave(s, left)
    s.db.set(stream.CURSOR, made[900].seq)
    s.daemon.start()
    assert_each_once(s, made)


def test_without_a_cursor_reading_goes_on_behind_the_newest_entry(s):
    made = s.events
    leave(s, made[:2000])
    s.daemon.write_config(start="stream")
    s.daemon.start()
    s.daemon.wait_log(r"warn .*no cursor in .*going on behind the newest, seq \d+ \(start = stream\)")
    assert_each_once(s, made)


def test_without_a_cursor_and_a_stream_the_first_events_are_live(lab):
    s = lab.system(events.make(50), start=False)
    s.daemon.write_config(start="stream")
    s.daemon.start()
    s.daemon.wait_log("beginning with live events")
    more = s.more(100)
    stream.wait_seqs(s.db, more)


def test_a_kill_before_the_cursor_has_passed_what_was_left_doubles_nothing(s):
    made = s.events
    leave(s, made[:2000])
    s.db.set(stream.CURSOR, made[100].seq)
    s.daemon.write_config(cursor_interval="1h", workers=1)
    s.daemon.start()
    stream.wait_seqs(s.db, made)
    s.daemon.kill()
    s.daemon.restart()
    s.more(100)
    assert_each_once(s, s.events)


def test_an_operator_who_sets_the_cursor_back_gets_the_events_again(s):
    made = s.events
    leave(s, made[:2000])
    s.db.set(stream.CURSOR, made[700].seq)
    s.daemon.start()
    assert_each_once(s, made)
    s.daemon.stop()
    s.db.set(stream.CURSOR, made[1499].seq)
    s.daemon.start()
    stream.wait_seqs(s.db, made)
    again = sum(e.is_delivered for e in made[1500:])
    s.wait_length(sum(e.is_delivered for e in made) + again)


def test_entries_that_are_no_events_are_passed_over(s):
    made = s.events
    leave(s, made[:1000])
    for n in range(600):
        s.db.xadd(stream.STREAM, {"hello": n})
    s.db.set(stream.CURSOR, made[700].seq)
    s.daemon.start()
    s.daemon.wait_status(lambda status: status["duplicate"] > 0, "to find what is there")
    s.daemon.wait_settled()
    written = s.db.xlen(stream.STREAM) - 600
    assert written == sum(e.is_delivered for e in made)


FOREIGN = json.dumps({"connected": True, "url": "wss://bsky.network", "currentCursor": "1"})


def assert_waits(s, status=FOREIGN):
    s.daemon.wait_log(r"warn .*another service still writes: it keeps firehose:status fresh\. Stop it")
    assert "another service still writes" in s.daemon.status()["redis"]["note"]
    assert s.db.get(stream.STATUS) == status
    assert s.db.xlen(stream.STREAM) == sum(e.is_delivered for e in s.events[:1000])
    assert not s.db.exists("firehose:progress")


@pytest.mark.parametrize("text", [FOREIGN, FOREIGN.replace(" ", "")], ids=["python", "typescript"])
def test_a_service_that_still_writes_is_waited_for(s, text):
    """It saves no cursor meanwhile: what it has written by then is in the stream."""
    made = s.events
    leave(s, made[:1000])
    s.db.set(stream.CURSOR, made[500].seq)
    s.db.set(stream.STATUS, text)
    s.daemon.start()
    assert_waits(s, text)
    leave(s, made[1000:1500])
    s.db.expire(stream.STATUS, 1)
    assert_each_once(s, made)


def test_foreign_writer_ignore_begins_beside_it(s):
    s.db.set(stream.STATUS, FOREIGN)
    s.daemon.write_config(foreign_writer="ignore", start="oldest")
    s.daemon.start()
    assert_each_once(s, s.events)


def test_a_reload_ends_the_waiting(s):
    leave(s, s.events[:1000])
    s.db.set(stream.STATUS, FOREIGN)
    s.daemon.write_config(start="stream")
    s.daemon.start()
    assert_waits(s)
    s.daemon.reload(foreign_writer="ignore")
    assert_each_once(s, s.events)


def test_our_own_status_is_not_waited_for(s):
    s.daemon.write_config(start="oldest")
    s.daemon.start()
    wait_for(lambda: s.db.get(stream.STATUS), "the status key")
    assert_each_once(s, s.events)
    s.daemon.stop()
    s.db.delete("firehose:progress")
    s.db.persist(stream.STATUS)
    s.daemon.start()
    s.more(20)
    assert_each_once(s, s.events)


def test_a_foreign_status_beside_our_marks_is_not_waited_for(s):
    s.daemon.write_config(start="oldest")
    s.daemon.start()
    assert_each_once(s, s.events)
    s.daemon.stop()
    s.db.set(stream.STATUS, FOREIGN)
    s.daemon.start()
    s.more(20)
    assert_each_once(s, s.events)
