"""Text from outside: it is clean wherever people see it, and the master keeps only little of it."""

import json
import re

import events
import frames
import stream
from control import Control, ctl
from test_control_tail import start_tail
from waiting import wait_for

DID = "did:plc:outside"
NASTY = "\x1b]0;title\x07\x9b31m\u202etxt\x7f\x00"
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def anonymous_bytes(pid):
    """Returns the resident memory of a process without the ring, which is shared."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def assert_put_aside(s, count):
    s.daemon.wait_status(lambda status: status["quarantined"] == count and status["in_flight"] == 0, "to put them aside")


def test_long_paths_cost_the_master_no_memory(lab):
    s = lab.system(workers=1)
    s.more(20)
    s.wait_delivered()
    before, peak = anonymous_bytes(s.daemon.master_pid()), 0
    for number in range(1, 61):
        path = f"app.bsky.feed.post/{number}" + "x" * 4_900_000
        seq = events.after(s.events)
        s.relay.append([events.other(frames.commit(seq, DID, [frames.delete(path)]), seq=seq, did=DID)])
        assert_put_aside(s, number)
        peak = max(peak, anonymous_bytes(s.daemon.master_pid()))
        if number % 10 == 0:
            s.db.xtrim(stream.DEAD_LETTERS, maxlen=1, approximate=False)
    print(f"anonymous memory of the master: {before} bytes before, {peak} at most")
    assert peak - before < 4_000_000
    (letter,) = stream.dead_letters(s.db)
    assert letter["reason"].startswith("path is longer than allowed at byte ")
    assert all(len(s.db.get(key) or "") < 100_000 for key in s.db.keys("firehose:recent*"))


def test_a_record_path_does_not_reach_the_terminal_raw(lab):
    s = lab.system(workers=1)
    s.more(20)
    seq = events.after(s.events)
    op = frames.create("app.bsky.feed.post/" + NASTY, b"\xa1ax")
    s.relay.append([events.other(frames.commit(seq, DID, [op]), seq=seq, did=DID)])
    wait_for(lambda: s.db.xlen(stream.DEAD_LETTERS) == 1, "the dead letter")
    s.db.xadd(stream.DEAD_LETTERS, {"seq": "5", "reason": f"record {NASTY}: by an older firehosed", "frame": "AAAA"})
    for arguments in (("dead-letters",), ("dead-letters", "show", str(seq)), ("dead-letters", "show", "5"), ("status",)):
        done = ctl(s.daemon, *arguments)
        assert done.returncode == 0, done.stderr
        assert not UNWANTED.search(done.stdout), (arguments, done.stdout)
    assert "record app.bsky.feed.post/?]0;title?" in ctl(s.daemon, "dead-letters").stdout


def test_a_relays_last_words_reach_nobody_raw(lab):
    s = lab.system(workers=1)
    s.more(20)
    s.wait_delivered()
    s.relay.append([events.other(frames.error("Oops" + NASTY, "天" * 2000 + NASTY))])
    s.daemon.wait_log(r"the relay says Oops\?")
    done = ctl(s.daemon, "status")
    assert done.returncode == 0, done.stderr
    assert "Oops" in done.stdout and not UNWANTED.search(done.stdout)
    assert not UNWANTED.search(ctl(s.daemon, "status", "--json").stdout)


def test_tail_shows_nul_and_integers_of_any_size(lab):
    s = lab.system(workers=1)
    s.daemon.wait_workers(1)
    s.more(5)
    s.wait_delivered()
    record = {"$type": "com.example.odd", "big": 2**64 - 1, "low": -(2**63), "text": "a\0b\n"}
    with Control(s.daemon) as c:
        c.send("tail", count=1, collection="com.example.odd")
        tail = start_tail(s.daemon, "-n", 1, "--json")
        people = start_tail(s.daemon, "-n", 1)
        while tail.poll() is None or people.poll() is None:
            seq = events.after(s.events)
            op = frames.create("com.example.odd/1", record)
            s.relay.append([events.other(frames.commit(seq, DID, [op]), seq=seq, did=DID)])
            s.wait_cursor(seq)
        item = next(item for item in iter(lambda: c.receive()["item"], None) if "seq" in item)
    assert item["data"]["ops"][0]["record"] == record and item["left_out"] == 0
    (line,) = tail.stdout.read().splitlines()
    assert json.loads(line)["data"] == item["data"]
    assert "com.example.odd/1" in people.stdout.read()
