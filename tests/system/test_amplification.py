"""Frames that become many times their length in Redis."""

import pytest

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
