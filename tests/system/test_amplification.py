"""Frames that become many times their length in Redis, and what happens when Redis is full."""

import pytest
import redis as redis_py

import events
import frames
import stream
from control import ctl

LETTERS, OPS = 13_000, 200


def amplifier(seq, letter="\x01", letters=LETTERS, ops=OPS):
    """Returns a commit whose operations name one block. Without limits, 31 kB become 16 MB."""
    block = frames.cbor({"$type": "app.bsky.feed.post", "text": letter * letters})
    cid = frames.cid(block)
    named = [frames.Op("create", f"app.bsky.feed.post/{i}", None, cid) for i in range(ops)]
    did = events.repo(1)
    return events.other(frames.commit(seq, did, named, extra_blocks=[(cid, block)]), seq, did)


def with_one_among_others(lab, make, **settings):
    s = lab.system(events.make(20), **settings)
    bad = make(events.after(s.events))
    s.relay.append([bad])
    s.more(20)
    s.daemon.wait_status(lambda status: status["received"] == 41 and status["in_flight"] == 0, "to write all")
    return s, bad


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (amplifier, "event grows more than event_max_growth as JSON"),
        (lambda seq: amplifier(seq, "x", 100_000, 50), "event is larger than event_max_size as JSON"),
    ],
    ids=["growth", "size"],
)
def test_frame_that_makes_too_much_json_is_a_dead_letter(lab, make, rule):
    s, bad = with_one_among_others(lab, make, event_max_growth=8 if make is amplifier else 1000)
    letters = stream.dead_letters(s.db)
    assert [letter["seq"] for letter in letters] == [str(bad.seq)]
    assert letters[0]["reason"].startswith(rule)
    assert stream.length(s.db) == 40
    assert s.db.memory_usage(stream.STREAM) < 200_000
    s.daemon.assert_balance()


def test_limits_can_be_raised_and_the_dead_letter_tried_again(lab):
    s, bad = with_one_among_others(lab, amplifier, workers=1)
    s.daemon.reload(event_max_growth=1000, event_max_size="20M")
    s.daemon.wait_log("configuration reloaded")
    assert ctl(s.daemon, "dead-letters", "retry", bad.seq).returncode == 0
    assert bad.seq in stream.seqs(s.db)
    assert stream.dead_letters(s.db) == []


# -- A full Redis -------------------------------------------------------------------------------------------------


def honest(lab, megabytes, count=300, **settings):
    return lab.system(events.make(count, text="hello"), redis_options={"maxmemory": f"{megabytes}mb"}, **settings)


def big(s, count, letters=1_500_000):
    """Gives the relay commits of the largest size that the limits let pass: one record of plain text each."""
    made, seq = [], events.after(s.events)
    for i in range(count):
        made.append(events.post(seq + i, events.repo(i % 40), "x" * letters))
    s.relay.append(made)
    return made


def wait_written(s):
    """Waits until each event was written once, whether it is still in the stream or not."""
    s.daemon.wait_status(lambda status: status["received"] == len(s.events) and status["in_flight"] == 0,
                         "to write all", 90)  # fmt: skip
    s.daemon.assert_balance()


def test_full_redis_is_trimmed_and_firehosed_goes_on(lab):
    s = honest(lab, 48)
    big(s, 100)
    wait_written(s)
    last = s.more(200, text="hello")
    wait_written(s)
    found = stream.seqs(s.db)
    assert len(found) == len(set(found)), "an event is doubled"
    assert {e.seq for e in last} <= set(found), "the oldest are trimmed, not the newest"
    assert s.daemon.log_lines(r"error .*redis is full.*trimmed the oldest \d+ of \d+ entries of firehose:events")
    status = s.daemon.wait_status(lambda status: status["redis"]["stream_trimmed"] > 0, "to say so")
    assert "trimmed firehose:events" in status["redis"]["concern"]
    assert status["redis"]["stream_trimmed"] + s.db.xlen(stream.STREAM) == len(s.events)


def test_full_redis_is_trimmed_at_the_start_of_firehosed(lab):
    s = honest(lab, 48, stream_full="wait")
    big(s, 100)
    s.daemon.wait_log("OOM", deadline=60)
    s.daemon.kill()
    s.daemon.write_config(stream_full="trim")
    s.daemon.start()
    s.daemon.wait_status(lambda status: status["redis"]["stream_trimmed"] > 0 and status["in_flight"] == 0
                         and status["cursor"] == str(s.events[-1].seq), "to write all", 90)  # fmt: skip
    found = stream.seqs(s.db)
    assert len(found) == len(set(found)), "an event is doubled"
    assert s.events[-1].seq in found


def test_stream_that_keeps_all_is_not_trimmed(lab):
    s = honest(lab, 24, stream_max_len=0)
    big(s, 40)
    s.daemon.wait_log("redis: .*may not trim: the maximum length of its stream is 0", deadline=60)
    assert s.daemon.status()["redis"]["stream_trimmed"] == 0
    s.db.config_set("maxmemory", 0)
    s.assert_all(deadline=60)


def test_stream_is_not_trimmed_for_what_another_wrote(lab):
    s = honest(lab, 48)
    s.assert_all()
    delivered = stream.length(s.db)
    s.daemon.wait_status(lambda status: status["redis"]["max_memory"] is not None, "to know Redis")
    with pytest.raises(redis_py.ResponseError, match="command not allowed"):
        for i in range(60):
            s.db.set(f"foreign:{i}", "x" * 1_000_000)
    s.daemon.wait_log("redis: .*do not have most of it")
    foreign = s.db.keys("foreign:*")
    assert stream.length(s.db) == delivered and len(foreign) > 40
    s.db.delete(*foreign)
    s.more(100, text="hello")
    s.assert_all()


def bad(s, count):
    """Gives the relay large commits with a byte too many."""
    seq = events.after(s.events)
    posts = [events.post(seq + i, events.repo(i % 40), "x" * 1_500_000) for i in range(count)]
    s.relay.append([events.other(made.frame + b"\0", made.seq, made.repo) for made in posts])


def test_full_of_dead_letters_trims_the_dead_letters(lab):
    s = honest(lab, 48)
    bad(s, 60)
    wait_written(s)
    assert s.daemon.log_lines("redis is full.*entries of firehose:undecodable")
    assert stream.length(s.db) == 300


def test_small_old_entries_do_not_hide_the_large_ones_that_fill_redis(lab):
    s = honest(lab, 48, 5000)
    s.wait_length(5000)
    big(s, 60)
    wait_written(s)
    assert s.events[-1].seq in stream.seqs(s.db)


def test_full_of_dead_letters_is_trimmed_at_the_start_of_firehosed(lab):
    s = honest(lab, 48, stream_full="wait")
    bad(s, 60)
    s.daemon.wait_log("OOM", deadline=60)
    s.daemon.kill()
    s.daemon.write_config(stream_full="trim")
    s.daemon.start()
    s.wait_cursor(s.events[-1].seq)
    assert stream.length(s.db) == 300


def test_missing_right_for_memory_usage_is_named(lab):
    redis = lab.redis(maxmemory="24mb", users=["default on nopass ~* &* +@all", "limited on >pw ~* &* +@all -memory"])
    s = lab.system(events.make(10, text="hello"), redis=redis, start=False)
    s.daemon.write_config(redis=f"redis://limited:pw@127.0.0.1:{redis.port}")
    s.daemon.start()
    big(s, 40)
    s.daemon.wait_log("redis: .*only the right for MEMORY USAGE would tell")
    s.db.execute_command("ACL", "SETUSER", "limited", "+memory")
    wait_written(s)
