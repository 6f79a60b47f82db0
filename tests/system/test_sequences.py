"""The sequence of a relay: seqs jump, go back or begin anew. firehosed never skips a new event."""

import pytest

import events
import frames
import stream
from relay import sent_in
from waiting import wait_for

ENDED_BY_SEQUENCE = 79
LOWER = events.FIRST_SEQ // 2


def rogue(seq=1 << 50):
    return events.make(1, seq)[0]


def assert_rogue_put_aside(s, bad):
    good = [e for e in s.events if e is not bad]
    stream.wait_seqs(s.db, good)
    wait_for(lambda: s.db.xlen(stream.DEAD_LETTERS) == 1, "the dead letter")
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, good)
    s.daemon.assert_balance()
    (letter,) = stream.dead_letters(s.db)
    assert int(letter["seq"]) == bad.seq
    assert letter["reason"].startswith("implausible seq")


def test_one_rogue_seq_is_put_aside_and_nothing_after_it_is_skipped(lab):
    first = events.make(100)
    bad = rogue()
    rest = events.make(100, events.after(first))
    s = lab.system([*first, bad, *rest])
    assert_rogue_put_aside(s, bad)
    s.daemon.wait_log(rf"error .*seq {bad.seq} does not belong to this relay's sequence")
    assert s.daemon.status()["rogue_seqs"] == 1
    s.wait_cursor(rest[-1].seq)


def test_jump_that_the_next_message_confirms_is_followed(lab):
    first = events.make(100)
    far = events.make(100, events.after(first) + 50_000_000)
    s = lab.system([*first, *far])
    s.assert_all()
    s.wait_cursor(far[-1].seq)
    assert s.db.xlen(stream.DEAD_LETTERS) == 0


def test_rogue_seq_that_is_held_when_the_connection_ends_is_decided_on_the_next_one(lab):
    first, bad = events.make(100), rogue()
    rest = events.make(50, events.after(first))
    s = lab.system([*first, bad, *rest], start=False)
    s.relay.script(sent_in([*first, bad]))
    s.daemon.start()
    s.daemon.wait_log(rf"seq {bad.seq} is \d+ above the last: held")
    s.wait_cursor(first[-1].seq)
    s.relay.drop_all()
    assert_rogue_put_aside(s, bad)


def test_rogue_seq_that_is_held_at_the_end_is_not_lost(lab):
    first, bad = events.make(100), rogue()
    rest = events.make(50, events.after(first))
    s = lab.system([*first, bad, *rest], start=False)
    s.relay.script(sent_in([*first, bad]))
    s.daemon.start()
    s.daemon.wait_log("above the last: held")
    s.daemon.stop()
    assert s.db.get(stream.CURSOR) == str(first[-1].seq)
    s.daemon.start()
    assert_rogue_put_aside(s, bad)


def test_frame_that_cannot_be_read_does_not_overtake_one_that_is_held(lab):
    first, bad = events.make(20, repos=1), rogue()
    rest = events.make(20, events.after(first), repos=1)
    junk = events.other(b"\xa1\x61t\x67#commit" + bytes(50))
    s = lab.system([*first, bad, junk, *rest], workers=1)
    good = [*first, *rest]
    stream.wait_seqs(s.db, good)
    wait_for(lambda: s.db.xlen(stream.DEAD_LETTERS) == 2, "the dead letters")
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, good)
    s.daemon.assert_balance()


def test_single_seqs_that_go_back_are_duplicates(lab):
    made = events.make(300)
    order = [e for i, e in enumerate(made) for e in ([e, made[i // 2]] if i % 10 == 9 else [e])]
    s = lab.system(made, start=False)
    s.relay.script(sent_in(order))
    s.daemon.start()
    s.assert_all()
    assert s.daemon.status()["duplicate"] == 30


def test_sequence_that_begins_anew_within_a_connection_is_followed(lab):
    old, new = events.make(200), events.make(1200, LOWER)
    s = lab.system(new, start=False)
    s.relay.script(sent_in([*old, *new]))
    s.daemon.start()
    s.daemon.wait_log("error .*went back from seq .* its sequence is another one")
    stream.wait_seqs(s.db, [*old, *new])
    s.daemon.wait_settled()
    found = stream.seqs(s.db)
    assert len(found) == len(set(found))
    assert s.daemon.status()["resets"] == 1
    s.daemon.assert_balance()


def test_one_low_first_seq_on_a_connection_changes_nothing(lab):
    first = events.make(300)
    s = lab.system(first)
    s.wait_delivered()
    s.wait_cursor(first[-1].seq)
    rest = events.make(200, events.after(first))
    s.relay.stop()
    s.relay.append(rest)
    s.relay.script(sent_in([events.make(1, 1000)[0], *rest]))
    s.relay.start()
    s.assert_all()
    assert s.daemon.status()["resets"] == 0


@pytest.mark.parametrize("wrong_by", [700, 5_000_000])
def test_reading_goes_back_from_a_wrong_seq_to_the_one_before_it(lab, wrong_by):
    """The wrong seq is plausible, so it is taken, and the right ones look old. The relay sends the wrong seq each time."""
    first = events.make(200)
    rest = events.make(1500, events.after(first))
    wrong = events.make(1, events.after(first) + wrong_by)[0]
    order = [*first, wrong, *rest]
    s = lab.system(order, start=False)
    s.relay.script(sent_in(order), sent_in([wrong, *rest]))
    s.daemon.start()
    s.daemon.wait_log(rf"error .*seq {wrong.seq} was wrong.* behind cursor {first[-1].seq}")
    stream.wait_seqs(s.db, [*first, *rest])
    s.daemon.wait_settled()
    found = stream.seqs(s.db)
    delivered = {e.seq for e in [*first, *rest] if e.is_delivered} - {wrong.seq}
    assert sorted(x for x in found if x in delivered) == sorted(delivered)
    assert s.relay.connections[1].cursor == first[-1].seq
    assert s.daemon.status()["resets"] == 0
    s.daemon.assert_balance()


def test_two_wrong_seqs_that_come_again_are_gone_back_from_once(lab):
    first = events.make(50)
    rest = events.make(300, events.after(first))
    wrong = events.make(2, events.after(first) + 5_000)
    s = lab.system([*first, *wrong, *rest], start=False)
    s.relay.script(sent_in([*first, *wrong, *rest]), *[sent_in([*wrong, *rest])] * 50)
    s.daemon.start()
    stream.wait_seqs(s.db, [*first, *rest])
    s.daemon.wait_settled()
    found = stream.seqs(s.db)
    assert all(found.count(e.seq) == e.is_delivered for e in [*first, *rest])
    assert all(found.count(e.seq) <= 1 for e in wrong)
    assert len(s.relay.connections) == 2


def test_small_host_that_was_rebuilt_is_noticed(lab):
    """The whole sequence of this host is shorter than the slack for a large relay."""
    old, new = events.make(200, 1), events.make(20, 3)
    s = lab.system(old)
    s.wait_delivered()
    s.wait_cursor(old[-1].seq)
    s.db.delete(stream.STREAM)
    s.relay.stop()
    s.relay.log[:] = new
    s.relay.script(sent_in(new))  # the cursor is from the future: the relay silently sends live events
    s.relay.start()
    s.daemon.wait_log("error .*far below cursor")
    stream.wait_seqs(s.db, new)


def test_start_after_a_crash_does_not_skip_the_beginning_of_a_new_sequence(lab):
    """firehosed begins with the oldest event although `start` is live, as it knows that the whole sequence is new."""
    old = events.make(100)
    s = lab.system(old)
    s.wait_delivered()
    s.wait_cursor(old[-1].seq)
    s.relay.stop()
    s.relay.log[:] = []
    error = events.other(frames.error("FutureCursor", "Cursor in the future."))
    s.relay.script(sent_in([error]))
    s.relay.start()
    wait_for(lambda: s.db.get(stream.CURSOR) == "0", "cursor 0")
    s.daemon.kill()
    s.relay.append(events.make(50, LOWER))
    s.daemon.write_config(start="live")
    s.daemon.restart()
    stream.wait_seqs(s.db, s.events)


@pytest.mark.parametrize("before, after", [(2, 5), (5, 2)])
def test_new_sequence_during_a_change_of_the_number_of_workers_while_redis_is_away(lab, before, after):
    """The new workers have their partitions before the slots are taken. They write what is left of the old sequence, but
    only after that."""
    s = lab.system(events.make(100, repos=50), workers=before)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.more_in_flight(500, repos=50)
    old = list(s.events)
    s.daemon.wait_status(lambda status: status["received"] == len(old), "to have read all of the old sequence")
    s.daemon.reload(workers=after)
    s.daemon.wait_log(f"info .*{after} workers", deadline=30)
    new = events.make(200, LOWER, repos=50)
    s.relay.stop()
    s.relay.log[:] = new
    s.relay.script(sent_in([events.other(frames.error("FutureCursor", "Cursor in the future."))]))
    s.relay.start()
    s.daemon.wait_log("its sequence is another one")
    s.daemon.wait_status(lambda status: status["state"] == "resetting", "to reset")
    s.redis.thaw()
    stream.wait_seqs(s.db, [*old, *new])
    s.daemon.wait_settled()
    found = stream.seqs(s.db)
    assert sorted(found) == sorted(e.seq for e in [*old, *new] if e.is_delivered)
    s.daemon.assert_balance()


def test_new_sequence_stops_the_daemon_where_that_is_wanted(lab):
    old, new = events.make(200), events.make(100, LOWER)
    s = lab.system(old, on_sequence_reset="stop")
    s.wait_delivered()
    s.relay.stop()
    s.relay.log[:] = new
    s.relay.script(sent_in(new))
    s.relay.start()
    s.daemon.wait_log("error .*on_sequence_reset = stop")
    s.daemon.wait_exit(ENDED_BY_SEQUENCE)
    assert s.db.get(stream.CURSOR) == str(old[-1].seq)
    stream.assert_delivered(s.db, old)
    s.daemon.write_config(on_sequence_reset="follow")
    s.relay.script(sent_in(new))
    s.daemon.start()
    stream.wait_seqs(s.db, [*old, *new])


def test_another_relay_stops_the_daemon_where_that_is_wanted(lab):
    s = lab.system(events.make(100), on_sequence_reset="stop")
    s.wait_delivered()
    s.daemon.stop()
    progress = s.db.hgetall("firehose:progress")
    other = lab.relay(events.make(100, LOWER), host="127.0.0.2")
    s.daemon.write_config(relay=other.url)
    s.daemon.start(wait=False)
    s.daemon.wait_log("error .*belong to another relay, and on_sequence_reset = stop")
    s.daemon.wait_exit(ENDED_BY_SEQUENCE)
    assert s.db.hgetall("firehose:progress") == progress
    s.daemon.write_config(on_sequence_reset="follow")
    s.daemon.start()
    stream.wait_seqs(s.db, other.log)
