"""firehosectl dead-letters: it lists, shows, retries and drops dead letters."""

import base64
import contextlib
import json
import socket

import pytest

import events
import stream
from control import ctl
from poison import MAGIC, assert_put_aside, poison, start


def dead_letters(s, *arguments):
    """Returns the exit status of `firehosectl dead-letters …`, and its answer or its error."""
    done = ctl(s.daemon, "dead-letters", *arguments, "--json")
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr


def junk(seq):
    """Returns a commit with a byte too many after its body."""
    made = events.make(1, seq, text="x")[0]
    return events.other(made.frame + b"\x00", seq=seq, did=made.repo)


def with_junk(lab, count=3, **settings):
    s = lab.system(workers=2, **settings)
    bad = []
    for _ in range(count):
        s.more(20)
        bad.append(junk(events.after(s.events)))
        s.relay.append(bad[-1:])
    s.more(20)
    s.wait_delivered()
    s.daemon.wait_status(lambda status: status["quarantined"] == count and status["in_flight"] == 0, "to put them aside")
    return s, bad


def test_list_and_show(lab):
    s, bad = with_junk(lab)
    code, listed = dead_letters(s, "list")
    assert code == 0
    assert [int(e["seq"]) for e in listed["entries"]] == [e.seq for e in reversed(bad)]
    assert all("frame" not in e and e["bytes"] == len(bad[0].frame) for e in listed["entries"])
    assert len(dead_letters(s, "list", "-n", 2)[1]["entries"]) == 2
    code, shown = dead_letters(s, "show", bad[1].seq)
    (entry,) = shown["entries"]
    assert code == 0 and base64.b64decode(entry["frame"]) == bad[1].frame
    assert entry["id"] == listed["entries"][1]["id"]
    assert dead_letters(s, "show", entry["id"])[1]["entries"] == [entry]
    people = ctl(s.daemon, "dead-letters")
    assert people.returncode == 0 and str(bad[0].seq) in people.stdout
    shown_ids = [line.split()[0] for line in people.stdout.splitlines()[1:]]
    assert shown_ids == [e["id"] for e in listed["entries"]]


def test_one_of_two_dead_letters_with_the_same_seq_can_be_picked(lab):
    s, bad = with_junk(lab, count=1)
    (entry_id, fields), = s.db.xrange(stream.DEAD_LETTERS)
    again = s.db.xadd(stream.DEAD_LETTERS, fields)
    ids = [line.split()[0] for line in ctl(s.daemon, "dead-letters").stdout.splitlines()[1:]]
    assert sorted(ids) == sorted([entry_id, again])
    assert dead_letters(s, "drop", again)[0] == 0
    assert [i for i, _ in s.db.xrange(stream.DEAD_LETTERS)] == [entry_id]


def test_list_of_more_than_a_page(lab):
    s = lab.system(workers=1)
    first = events.FIRST_SEQ
    bad = [junk(first + i) for i in range(50)]
    s.relay.append(bad)
    s.daemon.wait_status(lambda status: status["quarantined"] == 50, "to put them aside")
    listed = dead_letters(s, "list")[1]["entries"]
    assert [int(e["seq"]) for e in listed] == [e.seq for e in reversed(bad)]
    assert dead_letters(s, "show", first)[0] == 0


def test_drop(lab):
    s, bad = with_junk(lab)
    code, dropped = dead_letters(s, "drop", bad[1].seq)
    assert code == 0 and [int(e["seq"]) for e in dropped["entries"]] == [bad[1].seq]
    assert [int(e["seq"]) for e in dead_letters(s, "list")[1]["entries"]] == [bad[2].seq, bad[0].seq]
    code, why = dead_letters(s, "drop", bad[1].seq)
    assert code == 1 and "no such dead letter" in why


@pytest.mark.parametrize("arguments", [["show"], ["show", "x"], ["retry"], ["what", "1"], ["list", "1"]])
def test_wrong_usage(lab, arguments):
    s, _ = with_junk(lab, 1)
    code, why = dead_letters(s, *arguments)
    assert code in (1, 64) and why


def test_retry_of_what_is_refused_again_stays(lab):
    s, bad = with_junk(lab)
    code, why = dead_letters(s, "retry", bad[0].seq)
    assert code == 1 and "refused again" in why
    assert s.db.xlen(stream.DEAD_LETTERS) == 3
    s.assert_all()


def test_retry_of_poison_once_the_bug_is_mended(lab):
    s = start(lab, KILLER_ABORT=MAGIC)
    bad = poison(s)
    s.more(50)
    assert_put_aside(s, bad, "killed its worker twice: signal 6 (Aborted)")
    s.daemon.stop()
    s.daemon.environment = {}
    s.daemon.start()
    s.daemon.wait_workers(2)
    s.daemon.wait_status(lambda status: all(w["state"] == "ready" for w in status["workers"]), "to be ready")
    code, done = dead_letters(s, "retry", bad[0].seq)
    assert code == 0, done
    assert s.db.xlen(stream.DEAD_LETTERS) == 0
    assert stream.seqs(s.db)[-1] == bad[0].seq
    (entry,) = [e for e in stream.entries(s.db) if e.seq == bad[0].seq]
    assert (entry.type, entry.data) == bad[0].expected[1:]
    status = s.daemon.status()
    assert status["quarantined"] == status["written"] == 0, "it is no event that was received"
    code, why = dead_letters(s, "retry", bad[0].seq)
    assert code == 1 and "no such dead letter" in why
    s.more(100)
    s.wait_delivered()
    s.daemon.assert_balance()


def test_retry_that_kills_its_worker_again_is_told_and_stays(lab):
    s = start(lab, KILLER_ABORT=MAGIC)
    bad = poison(s)
    s.more(50)
    assert_put_aside(s, bad, "killed its worker twice: signal 6 (Aborted)")
    code, why = dead_letters(s, "retry", bad[0].seq)
    assert code == 1 and "worker" in why
    assert s.db.xlen(stream.DEAD_LETTERS) == 1
    s.more(50)
    stream.wait_seqs(s.db, [e for e in s.events if e not in bad])


def test_without_redis_it_says_so(lab):
    s, bad = with_junk(lab, 1)
    s.redis.kill()
    s.daemon.wait_status(lambda status: status["redis"]["state"] != "ready", "to notice")
    code, why = dead_letters(s, "list")
    assert code == 1 and "Redis" in why
    s.redis.start()
    assert bad


def test_clients_that_do_not_read_large_letters_go_and_one_that_reads_gets_its_own(lab):
    large = events.other(b"\x00" * 3_000_000)
    s = lab.system([large])
    s.daemon.wait_status(lambda status: status["quarantined"] == 1, "to put it aside")
    entry = s.db.xrange(stream.DEAD_LETTERS)[0][0]
    order = json.dumps({"command": "dead-letter-show", "args": {"entry": entry}}).encode() + b"\n"
    with contextlib.ExitStack() as crowd:
        for _ in range(12):
            client = crowd.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(s.daemon.control_socket))
            client.sendall(order)
        s.daemon.wait_log(r"warn master.*closing the connection of user \d+, pid \d+: it is the slowest to read", 4)
        code, shown = dead_letters(s, "show", entry)
        assert code == 0 and base64.b64decode(shown["entries"][0]["frame"]) == large.frame
