"""Frames that kill the process that reads them. firehosed finds them and puts them aside, and nothing else."""

import os
import signal

import pytest

import events
import stream
from firehosed import NO_REPORT
from poison import MAGIC, assert_put_aside, killer, poison, start


@pytest.mark.parametrize(
    "variable, reason",
    [
        ("KILLER_ABORT", "killed its worker twice: signal 6 (Aborted)"),
        ("KILLER_EXIT", "killed its worker twice: exit status 3"),
        ("KILLER_OOM", "killed its worker again and again: signal 9 (Killed)"),
    ],
)
def test_frame_that_kills_its_worker_goes_to_the_dead_letters_once(lab, variable, reason):
    s = start(lab, **{variable: MAGIC})
    bad = poison(s)
    s.more(300)
    assert_put_aside(s, bad, reason)
    s.daemon.wait_log(rf"error .*frame seq {bad[0].seq}.* is poison")
    restarts = sorted(w["restarts"] for w in s.daemon.status()["workers"])
    assert restarts[0] == 0, "the other worker was not touched"
    assert restarts[1] <= 5


def test_frame_that_hangs_its_worker_goes_to_the_dead_letters_once(lab):
    s = start(lab, KILLER_HANG=MAGIC, worker_timeout="1s")
    bad = poison(s)
    s.more(300)
    assert_put_aside(s, bad, "made its worker hang twice: no sign of life within worker_timeout")


def test_several_poison_frames_in_a_row(lab):
    s = start(lab, KILLER_ABORT=MAGIC)
    bad = poison(s, 3)
    s.more(100)
    assert_put_aside(s, bad, "killed its worker twice: signal 6 (Aborted)")


def test_worker_killed_at_random_makes_no_good_frame_poison(lab):
    """The worker dies again and again with a single frame in flight, while Redis is frozen."""
    s = lab.system(workers=1, environment=NO_REPORT)
    s.more(50)
    s.wait_delivered()
    s.redis.freeze()
    s.more(1)
    s.daemon.wait_status(lambda status: status["in_flight"] == 1, "to have a frame in hand")
    for number in [signal.SIGKILL, signal.SIGKILL, signal.SIGABRT, signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL]:
        victim = s.daemon.wait_workers(1)[0]
        os.kill(victim, number)
        s.daemon.wait_worker_replaced(0, victim)
    s.redis.thaw()
    s.assert_all()
    assert not stream.dead_letters(s.db)


def test_worker_that_dies_at_once_again_and_again_waits_longer_each_time_and_the_others_go_on(lab):
    s = lab.system(start=False, workers=2, shutdown_timeout="2s")
    s.daemon.environment = killer(KILLER_AT_START="worker-0")
    s.daemon.start(wait=False)
    s.more(300)
    dying = s.daemon.wait_status(
        lambda status: status["workers"] and status["workers"][0]["restart_in_s"] > 0.5, "to back off"
    )["workers"][0]
    assert (dying["state"], dying["keeps_dying"], dying["pid"]) == ("dying", True, 0)
    s.daemon.wait_log(r"error .*worker 0, pid \d+, killed by signal 6 \(Aborted\).*restart in 1\.6 s")
    well = s.daemon.wait_status(
        lambda status: status["workers"][1]["queued"] == 0 and status["workers"][1]["written"] > 50,
        "to write what is worker 1's",
    )["workers"][1]
    assert (well["restarts"], well["keeps_dying"]) == (0, False)
    assert s.daemon.status()["workers"][0]["queued"] > 50, "nothing of worker 0's is lost"
    s.daemon.signal(signal.SIGTERM)  # no worker writes them, so the time runs out
    s.daemon.wait_log("shutdown_timeout")
    s.daemon.wait_exit(0)
    s.daemon.environment = {}
    s.daemon.start()
    s.assert_all()


def test_worker_that_dies_while_all_is_brought_to_an_end_is_replaced_and_leaves(lab):
    s = start(lab, 50, KILLER_ABORT=MAGIC)
    s.wait_delivered()
    s.redis.freeze()
    bad = poison(s)
    s.more(50)
    s.daemon.wait_status(lambda status: status["received"] == 101, "to have received all")
    s.daemon.signal(signal.SIGTERM)
    s.redis.thaw()
    s.daemon.wait_exit(0)
    assert not s.daemon.log_lines("shutdown_timeout")
    stream.assert_delivered(s.db, [e for e in s.events if e not in bad])
    assert len(stream.dead_letters(s.db)) == 1


def test_worker_that_dies_on_every_frame_does_not_throw_all_of_them_away(lab):
    s = lab.system(start=False, workers=1, shutdown_timeout="1s")
    s.daemon.environment = killer(KILLER_ABORT=events.repo(0)[:10])  # the names of all repos begin so
    s.more(200)
    s.daemon.start()
    status = s.daemon.wait_status(lambda status: status["workers"][0]["restarts"] >= 4, "to die again and again")
    assert status["quarantined"] <= 16
    s.daemon.close()
    s.daemon.environment = {}
    s.daemon.start()
    s.daemon.wait_settled()
    letters = {int(letter["seq"]) for letter in stream.dead_letters(s.db)}
    good = [e for e in s.events if e.seq not in letters]
    stream.wait_seqs(s.db, good)
    stream.assert_delivered(s.db, good)
