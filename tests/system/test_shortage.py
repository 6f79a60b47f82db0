"""The system is short of a resource. firehosed loses nothing, and goes on when the shortage ends."""

import os
import signal

import events
import stream
from firehosed import preloaded
from waiting import hold_for, wait_for


def no_processes(lab):
    """Returns a file and an environment. No process can fork while the file exists."""
    file = lab.path("short-of-processes")
    return file, preloaded("shortage", SHORT_OF_PROCESSES=str(file))


def kill_first_worker(s):
    victim = s.daemon.worker_pids()[0]
    os.kill(victim, signal.SIGKILL)
    return victim


def test_worker_is_started_once_there_are_processes_again(lab):
    file, environment = no_processes(lab)
    s = lab.system(events.make(200), workers=2, environment=environment)
    s.assert_all()
    file.touch()
    victim = kill_first_worker(s)
    s.daemon.wait_log("worker 0 cannot be started: Resource temporarily unavailable")
    s.more(200)
    hold_for(lambda: s.daemon.is_running(), 0.5, "the master to wait")
    file.unlink()
    s.daemon.wait_worker_replaced(0, victim)
    s.assert_all()
    assert len(s.daemon.log_lines("cannot be started")) < 10


def test_end_with_events_of_a_dead_worker_waits_for_a_process_to_write_them(lab):
    file, environment = no_processes(lab)
    redis = lab.redis()
    s = lab.system(events.make(200), redis=redis, workers=1, shutdown_timeout="60s", environment=environment)
    s.assert_all()
    redis.freeze()
    s.more(300)
    s.daemon.wait_status(lambda status: status["received"] == len(s.events), "to receive all that was sent")
    victim = s.daemon.worker_pids()[0]
    s.daemon.signal(signal.SIGTERM)
    s.daemon.wait_log("stopping")
    file.touch()
    os.kill(victim, signal.SIGKILL)
    s.daemon.wait_log("worker 0 cannot be started", count=2)
    file.unlink()
    redis.thaw()
    s.daemon.wait_exit(0)
    stream.assert_delivered(s.db, s.events, strict=True)
    assert int(s.db.get(stream.CURSOR)) == s.events[-1].seq


def test_first_start_waits_for_a_process(lab):
    file, environment = no_processes(lab)
    file.touch()
    s = lab.system(events.make(200), workers=2, environment=environment)
    s.daemon.wait_log("worker 1 cannot be started")
    file.unlink()
    s.assert_all()


def test_messages_that_find_no_buffer_are_sent_again(lab):
    s = lab.system(events.make(2000), workers=2, redis_connect_timeout="200ms",
                   environment=preloaded("shortage", SHORT_OF_BUFFERS="3"))  # fmt: skip
    s.assert_all()
    for _ in range(3):
        s.more(500)
        s.redis.kill_daemon_clients()
        victim = kill_first_worker(s)
        s.daemon.wait_worker_replaced(0, victim)
    s.assert_all()
    s.wait_cursor(s.events[-1].seq)
    wait_for(lambda: all(w["queued"] == 0 for w in s.daemon.status()["workers"]), "nothing to be left in hand")
