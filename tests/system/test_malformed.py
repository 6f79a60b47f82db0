"""Frames that no worker can decode. firehosed counts them, logs them and keeps their bytes. The others arrive."""

import base64
import re

import pytest

import events
import frames
import stream
from waiting import wait_for

SEQ = 5000
DID = events.repo(5)


def body_of(seq, **fields):
    return {"seq": seq, "did": DID, "time": frames.TIME, **fields}


def one_block_under_many_paths(count, record_bytes):
    """A frame of one large record that is `count` events' worth of JSON: 200 times 1.9 MB, six bytes for each."""
    first = frames.create("a.b.c/0", {"$type": "a.b.c", "text": "\x01" * record_bytes})
    others = [frames.Op("create", f"a.b.c/{i}", None, first.cid) for i in range(1, count)]
    return frames.commit(SEQ, DID, [first, *others])


POISON = {
    "cut_short": frames.commit(SEQ, DID, [frames.create("app.bsky.feed.post/3k", {"$type": "x", "a": "b" * 300})])[:-40],
    "bytes_behind_the_body": frames.identity(SEQ, DID) + b"\0",
    "unsorted_keys": frames.frame("#identity", frames.raw_map(("time", frames.TIME), ("seq", SEQ), ("did", DID))),
    "key_twice": frames.frame("#identity", frames.raw_map(("did", DID), ("did", DID), ("seq", SEQ), ("time", frames.TIME))),
    "text_not_utf8": frames.identity(SEQ, DID, frames.Raw(b"\x63\xff\xfe\xfd")),
    "float_where_active_should_be": frames.account(SEQ, DID, frames.Raw(b"\xfb" + b"\0" * 8)),
    "missing_field": frames.account(SEQ, DID, frames.OMIT),
    "wrong_type": frames.identity(SEQ, DID, handle=[1, 2]),
    "long_integer_form": frames.identity(SEQ, DID, extra=frames.Raw(frames.head(0, 5, 8))),
    "indefinite_length": frames.identity(SEQ, DID, extra=frames.Raw(b"\x9f\xff")),
    "nested_too_deep": frames.identity(SEQ, DID, extra=frames.nested(5000)),
    "car_is_garbage": frames.commit(SEQ, DID, [], blocks=b"\xff" * 50),
    "car_block_too_long": frames.commit(SEQ, DID, [], blocks=frames.varint(1 << 40) + b"xyz"),
    "too_many_ops": frames.commit(SEQ, DID, [frames.delete(f"a.b.c/{i}") for i in range(201)]),
    "unknown_action": frames.commit(SEQ, DID, [frames.delete("a.b.c/1", action="explode")]),
    "becomes_gigabytes_of_json": one_block_under_many_paths(200, 1_900_000),
}  # fmt: skip


@pytest.mark.parametrize("poison", POISON)
def test_undecodable_frame_is_kept_and_the_others_arrive(lab, poison):
    bad = events.other(POISON[poison], SEQ, DID)
    before, behind = events.make(20, 1000), events.make(20, 6000)
    s = lab.system([*before, bad, *behind])
    pids = s.daemon.wait_workers(2)
    stream.wait_seqs(s.db, before + behind)
    status = s.daemon.assert_balance(41)
    assert status["quarantined"] == 1
    stream.assert_delivered(s.db, before + behind)
    letters = wait_for(lambda: s.db.xrange(stream.DEAD_LETTERS), "the dead letter")
    assert len(letters) == 1
    letter = letters[0][1]
    assert {"seq", "reason", "frame"} <= set(letter)
    assert letter["seq"] == str(SEQ)
    assert letter["reason"]
    assert base64.b64decode(letter["frame"]) == bad.frame
    s.daemon.wait_log(rf"(warn|error) .*seq {SEQ}\b")
    assert s.daemon.worker_pids() == pids
    assert len(s.relay.connections) == 1


GARBAGE = {
    "random_bytes": bytes(range(256)),
    "empty": b"",
    "one_byte": b"\xa0",
    "header_only": frames.cbor({"op": 1, "t": "#commit"}),
    "text": b"hello, world",
    "header_is_no_map": frames.cbor([1, "#commit"]) + frames.cbor(body_of(SEQ)),
    "negative_seq": frames.identity(-5, DID),
    "seq_is_text": frames.identity("5000", DID),
    "seq_above_int64": frames.identity(1 << 63, DID),
    "no_seq": frames.identity(frames.OMIT, DID),
    "deep_header": frames.cbor(frames.nested(100_000)),
    "huge_length": b"\x5b\x7f" + b"\xff" * 7 + b"abc",
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_frame_without_a_readable_seq_is_kept_too(lab, garbage):
    """The master refuses a frame that it cannot route. It counts it and keeps it just as a worker does."""
    before, behind = events.make(10, 1000), events.make(10, 6000)
    s = lab.system([*before, events.other(GARBAGE[garbage]), *behind])
    stream.wait_seqs(s.db, before + behind)
    status = s.daemon.assert_balance(21)
    assert status["quarantined"] == 1
    stream.assert_delivered(s.db, before + behind)
    letters = wait_for(lambda: s.db.xrange(stream.DEAD_LETTERS), "the dead letter")
    assert [base64.b64decode(fields["frame"]) for _, fields in letters] == [GARBAGE[garbage]]
    assert len(s.relay.connections) == 1


def test_unknown_kinds_are_skipped_and_counted(lab):
    made = [
        events.post(1001, DID),
        events.Event(1002, DID, frames.unknown(1002, DID, "#labels")),
        events.Event(1003, DID, frames.handle(1003, DID)),
        events.Event(1004, DID, frames.migrate(1004, DID)),
        events.Event(1005, DID, frames.tombstone(1005, DID)),
        events.Event(1006, DID, frames.frame("#commit", body_of(1006), op=7)),
        events.Event(1007, DID, frames.identity(1007, DID, unknown_field={"deep": [1, {"x": None}]})),
        events.post(1008, DID),
    ]
    s = lab.system(made)
    s.assert_all()
    assert stream.seqs(s.db) == [1001, 1007, 1008]
    assert s.daemon.assert_balance(8)["filtered"] == 5
    assert s.db.exists(stream.DEAD_LETTERS) == 0
    s.wait_cursor(1008)


def test_cursor_moves_past_what_is_not_delivered(lab):
    last = [events.other(POISON["unsorted_keys"], SEQ, DID), events.Event(SEQ + 1, DID, frames.tombstone(SEQ + 1, DID))]
    s = lab.system([*events.make(5, 1000), *last])
    s.wait_cursor(SEQ + 1)
    s.daemon.stop()
    s.daemon.start()
    assert s.relay.wait_connections(2).cursor == SEQ + 1


BAD_RECORDS = {
    "no_cid": frames.create("app.bsky.feed.post/1", {"$type": "app.bsky.feed.post"}, cid=None),
    "no_block": frames.Op("create", "app.bsky.feed.post/1", None, frames.cid(b"not in the CAR")),
    "hash_mismatch": frames.Op("create", "app.bsky.feed.post/1", frames.cbor({"$type": "x"}), frames.cid(b"other")),
    "no_type": frames.create("app.bsky.feed.post/1", {"text": "no type"}),
    "float": frames.create("app.bsky.feed.post/1", {"$type": "x", "n": frames.Raw(b"\xfb\x3f\xf8" + b"\0" * 6)}),
    "not_utf8": frames.create("app.bsky.feed.post/1", {"$type": "x", "n": frames.Raw(b"\x62\xc3\x28")}),
    "too_deep": frames.create("app.bsky.feed.post/1", {"$type": "x", "n": frames.nested(4394)}),
    "no_map": frames.create("app.bsky.feed.post/1", ["a", "list"]),
}


@pytest.mark.parametrize("record", BAD_RECORDS)
def test_bad_record_is_left_out_and_its_commit_delivered(lab, record):
    good = frames.create("app.bsky.feed.post/2", {"$type": "app.bsky.feed.post", "text": "good"})
    made = [events.Event(SEQ, DID, frames.commit(SEQ, DID, [BAD_RECORDS[record], good])), events.post(SEQ + 1, DID)]
    s = lab.system(made, log_level="debug")
    s.assert_all()
    ops = stream.entries(s.db)[0].data["ops"]
    assert [op["path"] for op in ops] == [good.path]
    s.daemon.wait_log(rf" debug .*{SEQ}")


def test_many_bad_frames_do_not_flood_the_log(lab):
    made = events.make(200, 1000)
    bad = [events.other(frames.account(10_000 + i, events.repo(i), frames.OMIT), 10_000 + i) for i in range(500)]
    s = lab.system(made + bad + events.make(50, 20_000), workers=2)
    assert s.daemon.wait_status(lambda st: st["in_flight"] == 0 and st["received"] == 750, "to read all")
    assert s.daemon.assert_balance(750)["quarantined"] == 500
    assert s.db.xlen(stream.DEAD_LETTERS) == 500
    assert len(s.daemon.log_lines(r"refused|malformed|dead")) < 50


def test_dead_letters_are_bounded(lab):
    bad = [events.other(frames.account(10_000 + i, events.repo(i), frames.OMIT), 10_000 + i) for i in range(1000)]
    s = lab.system(bad, dead_letters_max_len=100)
    s.daemon.wait_status(lambda st: st["quarantined"] == 1000, "to refuse all")
    assert 100 <= s.db.xlen(stream.DEAD_LETTERS) < 400


def test_large_event_within_the_limit_is_delivered(lab):
    """The worst case within the lexicon's 2 MB of blocks: one record, whose JSON has six bytes for each of its
    bytes."""
    large = events.other(one_block_under_many_paths(1, 1_990_000), SEQ, DID)
    others = events.make(20, SEQ + 1)
    s = lab.system([large, *others], event_max_size="16M")
    s.wait_length(1 + sum(e.is_delivered for e in others))
    found = {e.seq: e for e in stream.entries(s.db)}
    assert found[SEQ].data["ops"][0]["record"]["text"] == "\x01" * 1_990_000
    s.daemon.assert_balance()


def test_reason_says_which_rule_was_broken(lab):
    s = lab.system([events.other(POISON["unsorted_keys"], SEQ, DID)])
    letters = wait_for(lambda: s.db.xrange(stream.DEAD_LETTERS), "the dead letter")
    reason = letters[0][1]["reason"]
    assert re.search(r"order|sorted", reason)
