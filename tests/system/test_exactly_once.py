"""Each event arrives once and in order, whichever process dies, and when. Redis itself may lose data."""

import os
import random
import signal
import time

import pytest

import events
import stream
from processes import freeze
from waiting import wait_for


def test_redis_that_went_back_gets_again_what_it_lost(lab):
    """Redis loses data as in a crash between two fsyncs, or in a failover to a replica that lagged."""
    s = lab.system(workers=2, cursor_interval="100ms")
    s.more(500)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.db.save()
    s.more(500)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.redis.kill()
    s.redis.start()
    s.more(500)
    s.assert_all()
    s.daemon.wait_log(r"error .*redis has lost data")
    assert s.daemon.status()["rewinds"] >= 1


def test_flushed_redis_is_said_loudly_and_new_events_go_on(lab):
    s = lab.system(workers=2, cursor_interval="100ms")
    s.more(300)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.db.flushall()
    before = len(s.events)
    s.more(300)
    fresh = s.events[before:]
    stream.wait_seqs(s.db, fresh)
    found = stream.seqs(s.db)
    assert len(found) == len(set(found))
    s.daemon.wait_log(r"error ")
    assert s.daemon.is_running()


def test_stopped_worker_is_replaced_and_its_late_writes_are_fenced(lab):
    s = lab.system(workers=2, worker_timeout="1s")
    s.more(500)
    s.wait_length(200)
    victim = s.daemon.worker_pids()[0]
    s.redis.freeze()
    s.more(3500)
    s.daemon.wait_status(lambda status: status["workers"][0]["queued"] > 0, "to have work for the worker")
    freeze(victim)
    s.redis.thaw()
    s.daemon.wait_worker_replaced(0, victim)
    s.more(500)
    s.assert_all()


FAULTS = 25


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_faults_in_a_row_lose_and_double_nothing(lab, seed):
    dice = random.Random(seed)
    s = lab.system(redis=lab.redis(aof=True), workers=2, cursor_interval="50ms", relay_backoff_max="100ms")

    def signal_worker(pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # a resize has just ended it

    def kill_worker():
        signal_worker(dice.choice(s.daemon.worker_pids()), signal.SIGKILL)

    def kill_master():
        s.daemon.kill()
        s.daemon.restart()

    def kill_redis():
        s.redis.kill()
        s.redis.start()

    def resize():
        s.daemon.reload(workers=dice.randint(1, 4))

    def pause_worker():
        pid = dice.choice(s.daemon.worker_pids())
        signal_worker(pid, signal.SIGSTOP)
        time.sleep(0.05)
        signal_worker(pid, signal.SIGCONT)

    kinds = [kill_worker, kill_master, kill_redis, resize, pause_worker, s.relay.drop_all, s.redis.kill_daemon_clients]
    for _ in range(FAULTS):
        s.more(dice.randint(50, 400))
        time.sleep(dice.random() * 0.05)
        wait_for(lambda: s.daemon.worker_pids(), "a worker that runs")
        dice.choice(kinds)()
    s.more(100)
    s.assert_all(deadline=60)


def test_frames_that_arrive_while_the_number_of_workers_changes_reach_one(lab):
    s = lab.system(workers=4)
    s.more(100)
    s.wait_delivered()
    s.redis.freeze()
    s.daemon.reload(workers=1)
    s.daemon.wait_log("configuration reloaded")  # the new workers do not own the slots yet
    s.more(200)
    s.daemon.wait_status(lambda status: status["received"] == 300, "to have received all")
    s.redis.thaw()
    s.assert_all()


def test_marks_that_went_back_are_noticed_before_the_cursor_is_saved_again(lab):
    """The cursor was saved long before. Redis loses only the newest marks and events."""
    s = lab.system(workers=2, cursor_interval="200ms")
    s.more(300)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    cursor = s.events[-1].seq
    s.daemon.reload(cursor_interval="60s")
    s.daemon.wait_log("configuration reloaded")
    s.db.save()
    s.more(300)
    s.wait_delivered()
    assert s.db.get(stream.CURSOR) in (str(cursor), str(s.events[-1].seq))
    s.redis.kill()
    s.redis.start()
    s.assert_all(deadline=60)
    s.daemon.wait_log("error .*redis has lost data")


@pytest.mark.parametrize("killed", [False, True])
def test_stream_key_that_becomes_another_type_while_running(lab, killed):
    """Redis executes a part of the transaction. Its marks must not stay."""
    s = lab.system(workers=2)
    s.more(300)
    s.wait_delivered()
    s.db.set(stream.STREAM, "an accident")
    lost = len(s.events)
    s.more(300)
    s.daemon.wait_log("WRONGTYPE")
    s.more(50)
    if killed:
        before = len(s.daemon.log_lines("WRONGTYPE"))
        for pid in s.daemon.worker_pids():
            os.kill(pid, signal.SIGKILL)
        s.daemon.wait_log("WRONGTYPE", before + 1)
    s.db.delete(stream.STREAM)
    fresh = s.events[lost:]
    stream.wait_seqs(s.db, fresh, 60)
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, fresh)
    s.daemon.assert_balance()


def test_stream_key_of_another_type_and_a_master_killed_meanwhile(lab):
    s = lab.system(workers=2)
    s.more(300)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.db.set(stream.STREAM, "an accident")
    lost = len(s.events)
    s.more(300)
    s.daemon.wait_log("WRONGTYPE")
    s.daemon.kill()
    before = len(s.daemon.log_lines("WRONGTYPE"))
    s.daemon.restart()
    s.daemon.wait_log("WRONGTYPE", before + 1)
    s.db.delete(stream.STREAM)
    fresh = s.events[lost:]
    stream.wait_seqs(s.db, fresh, 60)
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, fresh)


def test_dead_letters_key_of_another_type_doubles_no_event(lab):
    """A part of a transaction fails. The worker repeats only that part."""
    s = lab.system(workers=1)
    s.more(100)
    s.wait_delivered()
    s.db.set(stream.DEAD_LETTERS, "an accident")
    bad = events.other(b"\xa1\x61t\x67#commit" + bytes(200))
    s.relay.append([*events.make(20, events.after(s.events)), bad])
    s.more(100)
    s.daemon.wait_log("WRONGTYPE")
    s.db.delete(stream.DEAD_LETTERS)
    s.assert_all()
    assert s.db.xlen(stream.DEAD_LETTERS) == 1


def test_progress_key_of_another_type_doubles_no_event(lab):
    s = lab.system(workers=2)
    s.more(300)
    s.wait_delivered()
    s.db.set("firehose:progress", "an accident")
    s.more(200)
    s.daemon.wait_log("WRONGTYPE|not a hash")
    s.db.delete("firehose:progress")
    s.more(100)
    s.assert_all(deadline=60)


def test_marks_that_are_deleted_by_hand_double_no_event(lab):
    """The master saves its cursor before a worker reads its marks. This must not look as if Redis had lost data."""
    s = lab.system(workers=2, cursor_interval="50ms")
    s.more(300)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.db.delete("firehose:progress")
    s.more(50)
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    s.redis.kill_daemon_clients()  # now the workers read their marks again
    s.more(100)
    s.assert_all()
    assert s.daemon.status()["rewinds"] == 0


def test_number_of_workers_changes_while_what_a_worker_died_on_is_replayed(lab):
    """Its frames go one at a time, and now to other workers. The ring is full, so no new frame comes to trigger
    them."""
    s = lab.system(events.make(100), workers=1, ring_size="128K", relay_max_message="64K", batch_events=20)
    s.wait_length(1)
    s.redis.freeze()
    s.more(2900)
    s.daemon.wait_status(lambda status: status["relay"]["paused"], "to have its ring full")
    (victim,) = s.daemon.wait_workers(1)
    os.kill(victim, signal.SIGKILL)
    s.daemon.wait_worker_replaced(0, victim)
    s.daemon.reload(workers=3)
    s.redis.thaw()
    s.daemon.wait_workers(3)
    s.assert_all()
