"""Any number of workers may die at any time and in any way. No event is lost."""

import os
import re
import signal
import time

import pytest

import events
import stream
from control import Control
from firehosed import NO_REPORT
from processes import cpu_seconds, freeze, is_alive, open_files, resident_bytes
from waiting import hold_for, wait_for


def kill(pid, number=signal.SIGKILL):
    os.kill(pid, number)


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_order_of_each_repo_is_kept(lab, workers):
    s = lab.system(events.make(3000, repos=12), workers=workers)
    assert len(s.daemon.wait_workers(workers)) == workers
    s.assert_all()


def test_auto_is_the_number_of_processors_and_at_least_two(lab):
    s = lab.system(events.make(100), workers="auto")
    s.daemon.wait_workers(max(2, len(os.sched_getaffinity(0))))
    s.assert_all()


def test_more_workers_than_repos_are_no_trouble(lab):
    s = lab.system(events.make(300, repos=2), workers=8)
    s.assert_all()


def test_events_are_spread_over_the_workers(lab):
    s = lab.system(events.make(1000, repos=200), workers=4)
    s.assert_all()
    assert all(w["written"] > 0 for w in s.daemon.status()["workers"])


def test_workers_are_children_of_the_master_and_named_so(lab):
    s = lab.system(workers=3)
    workers = s.daemon.wait_workers(3)
    assert sorted(s.daemon.members()) == sorted([s.daemon.master_pid(), *workers])


def test_killed_worker_is_replaced_and_nothing_is_lost(lab):
    s = lab.system(events.make(500), workers=2)
    s.wait_length(100)
    victim, other = s.daemon.wait_workers(2)
    s.more_in_flight(3000)
    kill(victim)
    s.redis.thaw()
    worker = s.daemon.wait_worker_replaced(0, victim)
    assert worker["restarts"] >= 1
    s.assert_all(strict=True)
    assert s.daemon.worker_pids()[1] == other  # the others go on
    s.daemon.wait_log(rf"(warn|error) .*worker.*{victim}.*(signal 9|SIGKILL|[Kk]illed)")


def test_worker_killed_under_load_again_and_again_loses_nothing(lab):
    """The kills alternate: one comes at any moment of the writes, the next with a batch in flight for sure."""
    s = lab.system(events.make(1000), workers=3)
    s.wait_delivered()
    killed = []
    for n in range(6):
        pid, before = s.daemon.wait_workers(3)[n % 3], stream.length(s.db)
        if n % 2:
            s.redis.freeze()
        s.more(1500, repos=60)
        if n % 2:
            s.daemon.wait_status(lambda st, n=n: st["workers"][n % 3]["queued"] > 0, "to have work for the worker")
        else:
            s.wait_length(before + 1)
        kill(pid)
        killed.append(pid)
        s.redis.thaw()
    assert len(set(killed)) == 6, "each kill met another process"
    s.assert_all(strict=True)
    s.daemon.wait_workers(3)
    assert len(s.relay.connections) == 1  # the relay notices nothing


def test_all_workers_killed_at_once_are_replaced_and_nothing_is_lost(lab):
    s = lab.system(events.make(2000), workers=4)
    s.wait_length(200)
    old = s.daemon.wait_workers(4)
    s.more_in_flight(2000)
    for pid in old:
        kill(pid)
    s.redis.thaw()
    s.assert_all(strict=True)
    assert not set(old) & set(s.daemon.wait_workers(4))


def test_killed_idle_worker_is_replaced_too(lab):
    s = lab.system(events.make(50), workers=2)
    s.assert_all()
    pids = s.daemon.wait_workers(2)
    for index, pid in enumerate(pids):
        kill(pid)
        s.daemon.wait_worker_replaced(index, pid)
    s.more(100)
    s.assert_all()  # nothing was in flight, so there are no doubles either


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGBUS], ids=lambda n: n.name)
def test_every_death_is_noticed_and_logged(lab, number):
    s = lab.system(events.make(50), workers=2, environment=NO_REPORT)
    s.assert_all()
    victim = s.daemon.wait_workers(2)[1]
    kill(victim, number)
    s.daemon.wait_worker_replaced(1, victim)
    s.daemon.wait_log(rf"(warn|error) .*{victim}")
    s.more(50)
    s.assert_all()


def test_worker_that_keeps_dying_does_not_hinder_the_others(lab):
    s = lab.system(events.make(200, repos=100), workers=2)
    s.assert_all()

    def kill_and_count():
        worker = s.daemon.status()["workers"][0]
        if worker["pid"]:
            try:
                kill(worker["pid"])
            except ProcessLookupError:
                pass
        return worker["restarts"] >= 4

    wait_for(kill_and_count, "worker 0 to die again and again")
    s.more(300, repos=100)
    s.assert_all(strict=True)


def test_stopped_worker_is_killed_and_replaced_after_its_timeout(lab):
    s = lab.system(events.make(100), workers=2, worker_timeout="1s")
    s.assert_all()
    victim = s.daemon.wait_workers(2)[0]
    freeze(victim)
    s.more(500)
    s.daemon.wait_worker_replaced(0, victim)
    s.assert_all(strict=True)
    s.daemon.wait_log(rf"(warn|error) .*worker.*{victim}")
    assert not is_alive(victim)


def test_busy_worker_is_not_taken_for_a_hung_one(lab):
    s = lab.system(events.make(3000), workers=2, worker_timeout="3s")
    pids = s.daemon.wait_workers(2)
    s.assert_all()
    hold_for(lambda: all(map(is_alive, pids)), 3.5, "idle workers stay")
    assert s.daemon.worker_pids() == pids


def test_stopped_and_continued_worker_goes_on(lab):
    s = lab.system(events.make(100), workers=2)
    s.assert_all()
    pids = s.daemon.wait_workers(2)
    freeze(pids[0])
    s.more(500)
    s.daemon.wait_status(lambda st: st["in_flight"] > 0, "to have work in flight")
    kill(pids[0], signal.SIGCONT)
    s.assert_all()
    assert s.daemon.worker_pids() == pids


def test_stopped_worker_bounds_the_ring_and_not_the_memory(lab):
    text = "x" * 3000
    s = lab.system(events.make(100), workers=2, ring_size="10M", worker_timeout="10m", redis_reply_timeout="10m")
    s.assert_all()
    pids = s.daemon.wait_workers(2)
    freeze(pids[0])
    s.more(8000, text=text)  # about 28 MB
    status = s.daemon.wait_status(
        lambda st: st["ring"]["used_bytes"] > 0.4 * st["ring"]["size_bytes"], "to have a full ring"
    )
    assert status["ring"]["used_bytes"] <= status["ring"]["size_bytes"]
    assert resident_bytes(s.daemon.master_pid()) < 64 << 20
    kill(pids[0], signal.SIGCONT)
    s.assert_all(deadline=60)


def test_frozen_relay_and_killed_worker_together_lose_nothing(lab):
    replay = lab.replay("--count", "4000", "--seed", "7", "--rate", "2000")
    redis = lab.redis()
    daemon = lab.firehosed(relay=replay.url, redis=redis.url(), workers=2)
    daemon.start()
    db = redis.client()
    wait_for(lambda: db.xlen(stream.STREAM) > 500, "500 entries")
    replay.freeze()
    victim = daemon.wait_workers(2)[0]
    kill(victim)
    daemon.wait_worker_replaced(0, victim)
    replay.thaw()
    daemon.wait_status(lambda st: st["received"] == 4000 and st["in_flight"] == 0, "to receive all 4000")
    delivered = set(stream.seqs(db))
    status = daemon.status()
    assert len(delivered) + status["filtered"] + status["quarantined"] == 4000


# -- What processes hold ---------------------------------------------------------------------------------------------


def open_descriptors(pid):
    return sorted(re.sub(r"\d+", "N", place) for place in open_files(pid))


def test_nothing_leaks_over_many_faults(lab):
    s = lab.system(events.make(100), workers=2, relay_backoff_max="200ms")
    s.assert_all()
    master = s.daemon.master_pid()
    before = open_descriptors(master)
    for n in range(8):
        victim = s.daemon.wait_workers(2)[n % 2]
        os.kill(victim, signal.SIGKILL)
        s.daemon.wait_worker_replaced(n % 2, victim)
        s.relay.drop_all()
        s.relay.wait_upgraded(n + 2)
        s.redis.kill_daemon_clients()
        s.more(20)
        s.wait_delivered()
    s.daemon.wait_workers(2)
    s.daemon.wait_connected()
    s.assert_all(strict=False)
    wait_for(lambda: open_descriptors(master) == before, lambda: f"{before}, it has {open_descriptors(master)}")
    assert not zombies_of(master)


def zombies_of(master):
    with open(f"/proc/{master}/task/{master}/children") as children:
        return [pid for pid in children.read().split() if not is_alive(int(pid))]


def test_worker_holds_only_what_it_needs(lab):
    """A worker has no descriptor of the relay, the control socket, the lock or the channels of other workers."""
    s = lab.system(events.make(100), workers=4, log_file=lab.path("firehosed.log"))
    s.assert_all()
    for pid in s.daemon.wait_workers(4):
        held = open_files(pid)
        assert len({place for place in held if place.startswith("socket:")}) <= 4, held  # the channel's three, and Redis
        assert not [place for place in held if place.endswith((".pid", "firehosed.log"))], held


def test_replaced_worker_holds_only_what_it_needs(lab):
    s = lab.system(events.make(100), workers=3)
    s.assert_all()
    victim = s.daemon.wait_workers(3)[0]
    os.kill(victim, signal.SIGKILL)
    pid = s.daemon.wait_worker_replaced(0, victim)["pid"]
    s.more(50)
    s.assert_all()
    held = open_files(pid)
    assert len({place for place in held if place.startswith("socket:")}) <= 4, held
    assert not [place for place in held if place.endswith(".pid")], held


def test_worker_that_is_to_leave_before_it_knows_its_marks_writes_what_it_got(lab):
    """The master starts it during the shutdown, while Redis is frozen. It gets frames and the order to end at once."""
    s = lab.system(events.make(200), workers=1, shutdown_timeout="60s")
    s.assert_all()
    s.redis.freeze()
    s.more(100)
    s.daemon.wait_status(lambda status: status["in_flight"] == 100, "to have 100 in flight")
    (victim,) = s.daemon.worker_pids()
    s.daemon.signal(signal.SIGTERM)
    s.daemon.wait_log("SIGTERM: stopping")
    kill(victim)
    s.daemon.wait_log(r"worker 0 started", count=2)
    hold_for(s.daemon.is_running, 0.5, "to wait for Redis")
    s.redis.thaw()
    s.daemon.wait_exit(0)
    s.assert_delivered()
    assert len(s.daemon.log_lines(r"worker 0 started")) == 2


# -- What waits in the ring while a worker is at work ------------------------------------------------------------


def wait_received(s):
    s.daemon.wait_status(lambda status: status["received"] == len(s.relay.log), "to receive all that was sent")


def at_work(lab, **settings):
    """Returns a system with one event on its way to a frozen Redis. The events after it are too few to go before the
    ack."""
    redis = lab.redis()
    s = lab.system(events.make(200), redis=redis, workers=1, **settings)
    s.assert_all()
    s.daemon.wait_settled()
    redis.freeze()
    for step in (1, 50):
        s.more(step)
        wait_received(s)
    assert s.daemon.status()["workers"][0]["queued"] == 51
    return s, redis


def test_what_came_meanwhile_goes_when_the_worker_has_acked(lab):
    s, redis = at_work(lab)
    redis.thaw()
    s.assert_all(strict=True)


@pytest.mark.parametrize(("batch_events", "least", "most"), [(512, 128, 451), (10, 10, 30)])
def test_much_does_not_wait_for_the_ack_but_is_no_more_than_a_few_transactions(lab, batch_events, least, most):
    """A worker builds its next batch while Redis executes the one before, so it holds more than one event."""
    s, redis = at_work(lab, batch_events=batch_events)
    s.more(400)
    wait_received(s)
    kill(s.daemon.worker_pids()[0])
    line = s.daemon.wait_log(r"worker 0, pid \d+, killed by signal 9.*; \d+ frames will be sent again")
    assert least <= int(re.search(r"(\d+) frames", line)[1]) <= most
    redis.thaw()
    s.assert_all(strict=True)


def test_what_waits_is_written_by_the_next_worker(lab):
    s, redis = at_work(lab)
    victim = s.daemon.worker_pids()[0]
    kill(victim)
    s.daemon.wait_worker_replaced(0, victim)
    redis.thaw()
    s.assert_all(strict=True)


def test_what_waits_is_written_after_an_orderly_restart(lab):
    s, redis = at_work(lab)
    victim = s.daemon.worker_pids()[0]
    with Control(s.daemon) as control:
        control.send("restart-worker", worker="0")
        assert "waiting_for" in control.receive()["item"]
        redis.thaw()
        assert control.answer()["ok"]
    s.assert_all(strict=True)
    assert s.daemon.worker_pids()[0] != victim


@pytest.mark.parametrize("restarts", [False, True])
def test_what_waits_is_written_before_the_end(lab, restarts):
    """firehosed writes the whole ring, also for a worker that was about to be replaced."""
    s, redis = at_work(lab)
    if restarts:
        with Control(s.daemon) as control:
            control.send("restart-worker", worker="0")
            assert "waiting_for" in control.receive()["item"]
    s.daemon.signal(signal.SIGTERM)
    s.daemon.wait_log("stopping")
    redis.thaw()
    s.daemon.wait_exit(0)
    stream.assert_delivered(s.db, s.events, strict=True)
    assert int(s.db.get(stream.CURSOR)) == s.events[-1].seq


def test_worker_that_cannot_write_sleeps(lab):
    """The worker gets more frames than it can hold, and can decode none of them before it has read its marks."""
    s = lab.system(events.make(5000), workers=1, start=False)
    s.db.rpush(stream.STREAM, "not a stream")
    s.daemon.start()
    s.daemon.wait_log("WRONGTYPE")
    wait_received(s)
    pid = s.daemon.worker_pids()[0]
    before, _ = cpu_seconds(pid), time.sleep(2)
    assert cpu_seconds(pid) - before < 0.5, "it is busy with nothing"
    s.db.delete(stream.STREAM)
    s.assert_all(strict=True)
