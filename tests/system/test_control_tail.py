"""firehosectl tail: it shows events as they pass, and does not slow the others down."""

import json
import os
import subprocess

import events
import frames
import stream
from control import Control, ctl
from firehosed import clean_environment, program
from processes import is_alive, open_files
from waiting import wait_for

MOST_SIGNS_OF_LIFE = 12  # one comes for each 5 s without an event: a test that waits for longer has failed


def start_tail(daemon, *arguments):
    return subprocess.Popen(
        [program("firehosectl"), "-s", daemon.control_socket, "tail", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )


def items(control, count):
    """Returns the next `count` events. They are so few that tail must not leave any out."""
    found, signs_of_life = [], 0
    while len(found) < count:
        line = control.receive()
        assert line["item"]["left_out"] == 0, line
        if "seq" in line.get("item", {}):
            found.append(line["item"])
        else:
            signs_of_life += 1
            assert signs_of_life < MOST_SIGNS_OF_LIFE, f"{len(found)} of {count} events"
    return found


def test_tail_shows_events_as_they_are_in_the_stream(lab):
    s = lab.system([], workers=3)
    s.daemon.wait_workers(3)
    with Control(s.daemon) as c:
        c.send("tail", id="t")
        c.send("status", id="s")
        assert c.answer()["id"] == "s"
        made = s.more(60)
        wanted = [e for e in made if e.is_delivered]
        shown = items(c, len(wanted))
        s.assert_all()
        stored = {str(entry.seq): entry for entry in stream.entries(s.db)}
        assert sorted(i["seq"] for i in shown) == sorted(stored)
        for item in shown:
            assert (item["type"], item["data"]) == (stored[item["seq"]].type, stored[item["seq"]].data)
            assert item["left_out"] == 0


def test_tail_filters_by_collection_and_repo(lab):
    s = lab.system([], workers=2)
    s.daemon.wait_workers(2)
    did = events.repo(7)
    with Control(s.daemon) as likes, Control(s.daemon) as feed, Control(s.daemon) as one, Control(s.daemon) as none:
        likes.send("tail", collection="app.bsky.feed.like")
        feed.send("tail", collection="app.bsky.feed.*")
        one.send("tail", did=did)
        none.send("tail", collection="com.example.nothing", count=1)
        assert s.daemon.status()
        made = [e for e in s.more(120) if e.is_delivered]

        def wanted(match):
            return sorted(str(e.seq) for e in made if match(e))

        def paths(e):
            return [op["path"] for op in e.expected[2].get("ops", [])] if e.expected[1] == "commit" else []

        for control, match in (
            (likes, lambda e: any(p.startswith("app.bsky.feed.like/") for p in paths(e))),
            (feed, lambda e: any(p.startswith("app.bsky.feed.") for p in paths(e))),
            (one, lambda e: e.repo == did),
        ):
            expected = wanted(match)
            assert expected
            assert sorted(i["seq"] for i in items(control, len(expected))) == expected


def test_tail_ends_after_n(lab):
    s = lab.system([], workers=2)
    s.daemon.wait_workers(2)
    tail = start_tail(s.daemon, "-n", 5, "--json")
    made = s.more(5)
    while tail.poll() is None and len(made) < 5000:  # tail misses the events before it has connected
        made += s.more(20)
        s.wait_delivered()
    out, err = tail.communicate(timeout=60)
    assert tail.returncode == 0 and err == ""
    shown = [json.loads(line) for line in out.splitlines()]
    assert len(shown) == 5
    assert {i["seq"] for i in shown} <= {str(e.seq) for e in made}
    s.assert_all()


def test_tail_as_text_shows_an_operation_a_line_and_no_control_characters(lab):
    s = lab.system([], workers=1)
    s.daemon.wait_workers(1)
    tail = start_tail(s.daemon, "-n", 1, "--collection", "app.bsky.feed.post")
    seq = events.FIRST_SEQ
    while tail.poll() is None and seq < events.FIRST_SEQ + 2000:
        s.relay.append([events.post(seq, events.repo(1), "two\nlines \x1b[31mred\u009b0m")])
        s.wait_delivered()
        seq += 1
    out, err = tail.communicate(timeout=60)
    assert tail.returncode == 0, err
    assert out.count("\n") == 1 and "create app.bsky.feed.post/" in out and events.repo(1) in out
    assert "two lines  [31mred 0m" in out


def test_too_many_are_sampled_and_counted_and_nobody_waits(lab):
    """A client does not read. The stream gets all events. The client gets a part of them, and the number of the
    rest."""
    s = lab.system(events.make(20), workers=2)
    s.assert_all()
    with Control(s.daemon) as c:
        c.send("tail", id="t", count=10**9)
        c.send("status", id="s")
        assert c.answer()["id"] == "s"
        made = [e for e in s.more(8400) if e.is_delivered]
        s.wait_delivered(60)
        seen = left_out = signs_of_life = 0
        while seen + left_out < len(made):
            item = c.receive()["item"]
            left_out += item["left_out"]
            seen += "seq" in item
            signs_of_life += "seq" not in item
            assert signs_of_life < MOST_SIGNS_OF_LIFE, f"seen {seen}, left out {left_out} of {len(made)}"
        assert (seen > 0, left_out > 0, seen + left_out) == (True, True, len(made))
    s.assert_all(deadline=60)


def test_tail_goes_on_over_restarted_and_killed_workers(lab):
    s = lab.system([], workers=2)
    old = s.daemon.wait_workers(2)
    with Control(s.daemon) as c:
        c.send("tail")
        first = [e for e in s.more(30) if e.is_delivered]
        items(c, len(first))
        assert ctl(s.daemon, "restart-worker", "all").returncode == 0
        second = [e for e in s.more(30) if e.is_delivered]
        assert sorted(i["seq"] for i in items(c, len(second))) == sorted(str(e.seq) for e in second)
        pids = s.daemon.wait_workers(2)
        assert set(pids).isdisjoint(old)
        os.kill(pids[0], 9)
        s.daemon.wait_worker_replaced(0, pids[0])
        third = [e for e in s.more(30) if e.is_delivered]
        assert sorted(i["seq"] for i in items(c, len(third))) == sorted(str(e.seq) for e in third)
    s.assert_all()


def test_tails_are_limited_and_leave_nothing_behind(lab):
    s = lab.system(events.make(50), workers=2)
    s.assert_all()
    pids = [s.daemon.process.pid, *s.daemon.worker_pids()]

    def descriptors():
        return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]

    before = descriptors()
    for _ in range(3):
        clients = [Control(s.daemon) for _ in range(9)]
        for c in clients:
            c.send("tail", count=10**9)
        refused = clients[-1].answer()
        assert refused["code"] == "too_many"
        s.more(50)
        items(clients[0], 1)
        for c in clients:
            c.close()
        # A worker notices that a client has gone when it writes to it.
        wait_for(lambda: s.more(20) and all(now <= was for now, was in zip(descriptors(), before)),
                 lambda: f"descriptors as before, {before}, they are {descriptors()}", every=0.2)  # fmt: skip
    assert all(is_alive(pid) for pid in pids)
    s.assert_all()


def test_wrong_filters_are_refused(lab):
    s = lab.system([])
    for arguments in (["--collection", "Not An NSID!"], ["--did", "alice"], ["--did", "did:" + "x" * 300]):
        done = ctl(s.daemon, "tail", *arguments)
        assert done.returncode == 1 and done.stderr, arguments
    assert ctl(s.daemon, "tail", "-n", "0").returncode == 64
    assert ctl(s.daemon, "status", "-n", "3").returncode == 64


def test_tail_says_when_the_daemon_is_gone(lab):
    s = lab.system(events.make(10), workers=1)
    s.assert_all()
    before = len(open_files(s.daemon.process.pid))
    tail = start_tail(s.daemon)
    wait_for(lambda: len(open_files(s.daemon.process.pid)) > before, "the connection of tail")
    s.daemon.stop()
    _, err = tail.communicate(timeout=60)
    assert tail.returncode in (3, 4) and "firehosed" in err


def test_frames_that_are_refused_do_not_pass(lab):
    s = lab.system([], workers=1)
    s.daemon.wait_workers(1)
    with Control(s.daemon) as c:
        c.send("tail")
        seq = events.FIRST_SEQ
        bad = events.other(frames.commit(seq, events.repo(1), [])[:-3], seq, events.repo(1))
        good = events.post(seq + 1, events.repo(1), "good")
        s.relay.append([bad, good])
        assert [i["seq"] for i in items(c, 1)] == [str(seq + 1)]
