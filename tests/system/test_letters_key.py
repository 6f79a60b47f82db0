"""Whose entries are in the key of the dead letters. firehose:dead-letters was firehosed's default once, and is the
application's: firehosed takes its own entries out of it, and neither trims nor changes what others put anywhere."""

import base64
import os

import pytest

import events
import stream
from control import ctl
from waiting import hold_for, wait_for

OLD = "firehose:dead-letters"
ACL = ["default on nopass ~* &* +@all"]


def own(seq, frame=b"\x01\x02"):
    return {"seq": str(seq), "reason": "frame: cut short", "frame": base64.b64encode(frame).decode()}


def applications(count, first=0):
    """Returns entries as redis-queue.ts writes them, and some that look nearly like firehosed's."""
    nearly = [{"seq": "1", "reason": "x"}, {**own(2), "more": "x"}, {"type": "commit", "data": "{}", "seq": "3"},
              {"seq": "4", "reason": "x", "Frame": "AA=="}]  # fmt: skip
    return [nearly[i] if i < len(nearly) else {"originalMessageId": f"{i}-0", "error": "boom", "data": "{}"}
            for i in range(first, first + count)]  # fmt: skip


def add(db, entries, key=OLD):
    """Adds the entries, and returns what the stream has for each: its id and its fields."""
    line = db.pipeline(transaction=False)
    for entry in entries:
        line.xadd(key, entry)
    return list(zip(line.execute(), entries))


def mixed(db, foreign=1200, every=40):
    """Fills the old key: one entry in `every` is firehosed's own. Returns the foreign ones, and those."""
    theirs, ours = [], []
    for i in range(0, foreign, every):
        theirs += add(db, applications(every, i))
        ours += add(db, [own(i)])
    return theirs, ours


def system(lab, redis, **settings):
    s = lab.system(events.make(50), redis=redis, start=False, **settings)
    s.daemon.start()
    return s


def bad(s):
    letter = events.other(b"\xa1\x61t\x67#commit" + bytes(200))
    s.relay.append([letter])
    return letter


def test_applications_entries_stay_and_own_ones_are_moved_with_their_time(lab):
    redis = lab.redis()
    theirs, ours = mixed(redis.client())
    ours += add(redis.client(), [own(7, os.urandom(5_000_000))])
    s = system(lab, redis, dead_letters_max_len=10)
    s.wait_delivered()
    s.daemon.wait_log(rf"dead letters: {len(ours)} of firehosed were moved from {OLD} to {stream.DEAD_LETTERS}")
    assert s.db.xrange(OLD) == theirs
    assert s.db.xrange(stream.DEAD_LETTERS) == ours
    for _ in range(150):
        bad(s)
    s.daemon.wait_status(lambda status: status["quarantined"] == 150, "to put them aside")
    assert s.db.xlen(stream.DEAD_LETTERS) < 31 + 150, "its own key is trimmed"
    assert s.db.xrange(OLD) == theirs
    s.daemon.stop()
    s.daemon.start()
    s.more(50)
    s.wait_delivered()
    s.assert_delivered()
    assert len(s.daemon.log_lines("dead letters: .* were moved")) == 1
    assert s.db.xrange(OLD) == theirs


def test_without_own_entries_nothing_is_said_or_made(lab):
    redis = lab.redis()
    theirs = add(redis.client(), applications(1100))
    s = system(lab, redis)
    s.assert_all()
    assert s.db.xrange(OLD) == theirs and not s.db.exists(stream.DEAD_LETTERS)
    assert not s.daemon.log_lines("dead letters:")


def test_kill_between_copy_and_deletion_moves_each_entry_once(lab):
    redis = lab.redis(users=[*ACL, "limited on >secret ~* &* +@all -xdel"])
    theirs, ours = mixed(redis.client(), 80)
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.write_config(redis=redis.url(user="limited", password="secret"))
    s.daemon.start()
    s.daemon.wait_log("warn .*redis.*NOPERM.*'xdel'")
    assert s.db.xrange(stream.DEAD_LETTERS) == ours[:1], "the copy is there, and the original too"
    assert s.db.xlen(OLD) == len(theirs) + len(ours)
    s.daemon.kill()
    s.db.execute_command("ACL", "SETUSER", "limited", "+xdel")
    s.daemon.start()
    s.assert_all()
    assert (s.db.xrange(OLD), s.db.xrange(stream.DEAD_LETTERS)) == (theirs, ours)


def test_kills_while_it_moves_lose_and_double_no_entry(lab):
    redis = lab.redis()
    theirs, ours = mixed(redis.client(), 4000, 10)
    s = system(lab, redis)
    for part in (20, 100, 250):
        wait_for(lambda least=part: s.db.xlen(stream.DEAD_LETTERS) >= least, f"{part} moved entries")
        s.daemon.kill()
        s.daemon.start()
    s.assert_all()
    assert (s.db.xrange(OLD), s.db.xrange(stream.DEAD_LETTERS)) == (theirs, ours)


def test_two_that_start_at_once_move_each_entry_once(lab):
    redis = lab.redis()
    theirs, ours = mixed(redis.client(), 2000, 10)
    newer = add(redis.client(), [own(9999)], stream.DEAD_LETTERS)  # ids are of no help
    s = lab.system(events.make(50), redis=redis, start=False)
    second = lab.firehosed(relay=s.relay.url, redis=redis.url())
    s.daemon.start(wait=False)
    second.start(wait=False)
    wait_for(lambda: not s.daemon.is_running() or not second.is_running(), "one to take over")
    s.wait_delivered()
    found = s.db.xrange(stream.DEAD_LETTERS)
    assert s.db.xrange(OLD) == theirs and found[:1] == newer
    assert sorted(int(f["seq"]) for _, f in found[1:]) == sorted(int(f["seq"]) for _, f in ours)
    (loser,) = [d for d in (s.daemon, second) if not d.is_running()]
    loser.wait_exit(76)


def test_entries_older_than_those_of_the_new_key_are_moved_behind_them(lab):
    redis = lab.redis()
    theirs, ours = mixed(redis.client(), 80)
    same_id = ours[-1][0]
    redis.client().xadd(stream.DEAD_LETTERS, own(1000), id=same_id)
    newer = [(same_id, own(1000))]
    s = system(lab, redis)
    s.assert_all()
    found = s.db.xrange(stream.DEAD_LETTERS)
    assert s.db.xrange(OLD) == theirs
    assert found[:1] == newer and [fields for _, fields in found[1:]] == [fields for _, fields in ours]


def test_application_that_writes_meanwhile_keeps_everything(lab):
    redis = lab.redis()
    db = redis.client()
    theirs, ours = mixed(db, 2000, 10)
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.start(wait=False)
    while not s.daemon.log_lines("were moved"):
        theirs += add(db, applications(1, 5000))
    s.assert_all()
    assert (s.db.xrange(OLD), s.db.xrange(stream.DEAD_LETTERS)) == (theirs, ours)


def test_configured_key_is_the_operators_and_nothing_is_moved(lab):
    redis = lab.redis()
    theirs, ours = mixed(redis.client(), 80)
    s = system(lab, redis, dead_letters_key="mine")
    bad(s)
    s.assert_all()
    assert s.db.xrange(OLD) == sorted(theirs + ours, key=lambda e: tuple(map(int, e[0].split("-"))))
    assert s.db.xlen("mine") == 1 and not s.db.exists(stream.DEAD_LETTERS)


def test_old_key_that_is_closed_to_firehosed_is_left_alone(lab):
    grants = "~firehose:events ~firehose:undecodable ~firehose:progress ~firehose:owner:* ~firehose:python_cursor"
    redis = lab.redis(users=[*ACL, f"limited on >secret {grants} &* +@all"])
    theirs, ours = mixed(redis.client(), 80)
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.write_config(redis=redis.url(user="limited", password="secret"))
    s.daemon.start()
    s.assert_all()
    assert len(s.daemon.log_lines(rf"dead letters: those of earlier versions .* stay in {OLD}: NOPERM")) == 1
    assert s.db.xlen(OLD) == len(theirs) + len(ours)


def test_old_key_of_another_type_is_left_alone(lab):
    redis = lab.redis()
    redis.client().rpush(OLD, "theirs")
    s = system(lab, redis)
    s.assert_all()
    assert s.db.lrange(OLD, 0, -1) == ["theirs"]
    assert not s.daemon.log_lines("dead letters:|WRONGTYPE")


@pytest.mark.parametrize("where", ["first", "last"])
def test_key_with_foreign_entries_is_refused_until_another_one_is_named(lab, where):
    redis = lab.redis()
    db = redis.client()
    first, last = (applications(1, 9), [own(5)] * 9) if where == "first" else ([own(5)] * 9, applications(1, 9))
    kept = add(db, first, OLD) + add(db, last, OLD)
    s = system(lab, redis, dead_letters_key=OLD, dead_letters_max_len=1)
    s.daemon.wait_log(rf"warn .*redis.*dead_letters_key: {OLD} holds entries of another program \(\d+-\d+\)")
    bad(s)
    hold_for(lambda: s.db.xrange(OLD) == kept and not s.db.exists(stream.STREAM), 0.5, "nothing to be written")
    assert "holds entries of another program" in ctl(s.daemon, "status").stdout
    s.daemon.reload(dead_letters_key="mine")
    s.assert_all()
    assert s.db.xrange(OLD) == kept and s.db.xlen("mine") == 1


def test_refused_key_takes_nothing_over_until_it_is_free(lab):
    s = lab.system(events.make(50))
    s.assert_all()
    add(s.db, applications(9), "theirs")
    second = lab.firehosed(start=True, relay=s.relay.url, redis=s.redis.url(), dead_letters_key="theirs")
    second.wait_log("dead_letters_key: theirs holds entries of another program")
    s.more(50)
    s.assert_all()
    s.db.delete("theirs")
    s.daemon.wait_exit(76)
    s.more(50)
    s.wait_delivered()
    s.assert_delivered()


def test_reload_to_a_key_with_foreign_entries_waits_until_they_are_gone(lab):
    redis = lab.redis()
    s = system(lab, redis)
    s.assert_all()
    kept = add(s.db, applications(20), "theirs")
    s.daemon.reload(dead_letters_key="theirs", dead_letters_max_len=1)
    s.daemon.wait_log("warn .*redis.*dead_letters_key: theirs holds entries of another program")
    bad(s)
    s.more(50)
    hold_for(lambda: s.db.xrange("theirs") == kept, 0.5, "nothing to be trimmed")
    s.db.delete("theirs")
    s.assert_all()
    assert s.db.xlen("theirs") == 1
