"""rig.py: relay, firehosed and Redis with a proxy on either side of firehosed, and the verbs that faults use.

Each part has a lock: a fault that takes a part away holds it, so that two faults at a time overlap without one taking
the other's ground.
"""

import os
import random
import re
import shutil
import threading
import time
from collections import Counter
from pathlib import Path

from chaos.frames import FIRST_SEQ
from proxy import Proxy
from chaos.verdict import read_events, read_letters
from processes import is_alive
from rig import STREAM, Firehosed, Late, Replay, Rig, wait_for

# What a worker's end may be told as: killed by us, or by itself as ordered. Others are crashes.
SIGNAL = re.compile(r"killed by signal (?!9\b)\d+")
STATUS = re.compile(r"worker \d+, pid \d+, exited with status (?!0\b|10\b|11\b|12\b)\d+")
PROGRESS_SECONDS = 40  # without any, when nothing is wrong any more, it is stuck


class ChaosRig(Rig):
    def __init__(self, options):
        self.options = options
        chance = random.Random(f"{options.seed} settings")
        self.workers = chance.randint(1, 5)
        self.settings = {
            "stream_max_len": 0,
            "dead_letters_max_len": 0,
            "workers": self.workers,
            "batch_events": chance.choice([16, 64, 512, 512]),
            "ring_size": chance.choice(["256K", "2M", "8M"]),  # a small one is written over all the time
            "relay_max_message": "128K",
            "cursor_interval": chance.choice(["50ms", "200ms", "1s"]),
            "worker_timeout": "3s",
            "relay_ping_interval": "1s",
            "relay_idle_timeout": "2s",
            "relay_backoff": "50ms",
            "relay_backoff_max": "500ms",
            "relay_connect_timeout": "3s",
            "redis_connect_timeout": "2s",
            "redis_reply_timeout": "2s",
            "shutdown_timeout": "20s",
            "log_level": "debug",
        }
        self.rate = options.rate
        self.count = 0  # events in all; known when no fault strikes any more
        self.locks = {part: threading.RLock() for part in ("master", "worker", "relay", "redis")}
        self.masters = []  # every Firehosed that there was, for its log
        self.daemon = None
        self.losses = self.losses_before = 0  # times that Redis has lost data; when the newest master started
        self.garbled = False
        self.log_floor = None  # a file of Redis' log, and how many of its bytes no fault takes away
        self.lives = 0
        self.started = None
        self.keep = None

    def __exit__(self, *details):
        self.stop_all()
        if self.keep is not None:
            shutil.rmtree(self.redis_directory / "appendonlydir", ignore_errors=True)  # as large as it is useless
            shutil.copytree(self.directory, self.keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
        super().__exit__(*details)

    # -- Parts -------------------------------------------------------------------------------------------------------

    def start_parts(self, frames):
        self.frames = frames
        self.start_redis(aof=True, auto_aof_rewrite_percentage=0)
        self.redis_directory = self.redis.directory
        self.redis_proxy = Proxy("redis", ("127.0.0.1", self.redis.port))
        self.relay_proxy = Proxy("relay", ("127.0.0.1", 1))
        self.parts += [self.redis_proxy, self.relay_proxy]
        self.started = time.monotonic()
        self.relay_up()
        self.new_master()
        self.daemon.start()
        self.lives = 1

    def undisturbed(self, frames):
        """One round without a fault: what must come of each frame."""
        self.start_redis()
        self.start_relay("--first-seq", str(FIRST_SEQ), source=frames.path)
        daemon = self.start_firehosed(stream_max_len=0, dead_letters_max_len=0, log_level="info")
        total = frames.round + len(frames.anonymous)
        daemon.wait_settled(total)
        daemon.assert_balance(total)
        daemon.stop()
        frames.learn(read_events(self.redis), read_letters(self.redis))
        self.stop_all()

    def new_master(self):
        """Another firehosed with files of its own, and the same keys."""
        self.daemon = Firehosed(
            self.directory / f"firehosed{len(self.masters)}",
            relay=f"wss://localhost:{self.relay_proxy.port}",
            relay_ca_file=self.authority.cert,
            redis=f"redis://127.0.0.1:{self.redis_proxy.port}",
            start="oldest",
            **{**self.settings, "workers": self.workers},
        )
        self.masters.append(self.daemon)
        self.parts.append(self.daemon)
        return self.daemon

    def produced(self):
        """Events that the relay has by now, at most: what a faultless network would have sent."""
        return int((time.monotonic() - self.started) * self.rate)

    def relay_up(self, *arguments):
        """Starts it: on another port, which the proxy then leads to. Some arguments make it misbehave."""
        extent = ["--rate", str(self.rate), "--backlog", str(self.produced())]
        if self.count:
            extent = ["--count", str(self.count)]
        self.relay = Replay("--loop", "--first-seq", str(FIRST_SEQ), *extent, *arguments,
                            source=self.frames.path, certificate=self.certificate)  # fmt: skip
        self.parts.append(self.relay)
        self.relay_proxy.target = ("127.0.0.1", int(self.relay.url.rsplit(":", 1)[1]))

    def relay_down(self):
        self.relay.close()
        self.parts.remove(self.relay)
        self.relay_proxy.cut_all()

    # -- Processes of firehosed ----------------------------------------------------------------------------------------

    def master_pid(self):
        return self.daemon.process.pid

    def worker_pids(self):
        """Children of the master by the name that a worker gives itself: asked from the kernel, not from the master."""
        found = []
        if self.daemon.process is None:  # the second one, not started yet
            return found
        try:
            with open(f"/proc/{self.master_pid()}/task/{self.master_pid()}/children") as children:
                pids = children.read().split()
        except OSError:
            return []
        for pid in pids:
            try:
                name = Path(f"/proc/{pid}/comm").read_text()
            except OSError:
                continue
            if name.startswith("worker-") and is_alive(int(pid)):
                found.append(int(pid))
        return sorted(found)

    def wait_worker(self, chance, besides=()):
        """A worker, drawn by lot; waits while there is none."""
        pids = wait_for(lambda: [pid for pid in self.worker_pids() if pid not in besides],
                        lambda: f"a worker; firehosed says:\n{self.daemon.tail(20)}")  # fmt: skip
        return chance.choice(pids)

    def restart_master(self):
        """As an init does when it has ended."""
        self.losses_before = self.losses
        self.daemon.start(wait=False)
        self.lives += 1

    # -- What is true of the whole ----------------------------------------------------------------------------------

    def watch(self):
        """Called all the time: an end that nobody asked for, an account that does not balance."""
        if self.locks["master"].acquire(blocking=False):
            try:
                if not self.daemon.is_running():
                    code = self.daemon.process.popen.returncode
                    raise Late(f"firehosed has ended by itself with {code}:\n{self.daemon.tail(20)}")
                status = self.daemon.status()
            finally:
                self.locks["master"].release()
            if status is not None and status["in_flight"] == 0 and status["state"] == "running":
                done = sum(status[key] for key in ("written", "filtered", "quarantined", "duplicate"))
                if done != status["received"]:
                    raise Late(f"the account does not balance with nothing in flight: {status}")

    def settle(self):
        """No more faults: all that the relay has must arrive by itself."""
        if not self.redis.is_running():
            self.redis.start()
        with self.redis.client() as client:
            client.config_set("maxmemory", 0)
            client.execute_command("CLIENT", "UNPAUSE")
        self.redis_proxy.set_delay(0)
        self.relay_proxy.refuses = False
        self.relay_down()
        self.count = self.produced() + self.rate
        self.relay_up()
        last, seen, since = FIRST_SEQ + self.count - 1, None, time.monotonic()
        patience = PROGRESS_SECONDS * float(os.environ.get("FIREHOSED_PATIENCE", "1"))
        while True:
            self.watch()
            status = self.daemon.status() or {}
            if status.get("cursor") == str(last) and status["in_flight"] == 0:
                break
            now = self.redis.client().xlen(STREAM), status.get("cursor"), status.get("received")
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > patience:
                raise Late(f"nothing moves any more: stream, cursor, received: {now}, the last seq is {last}; "
                           f"status: {status}")  # fmt: skip
            time.sleep(0.1)
        self.daemon.assert_balance()
        self.daemon.stop()

    def unexplained(self):
        """Lines of the logs that tell of what must never happen, whatever dies."""
        found = Counter()
        for daemon in self.masters:
            for line in daemon.log().splitlines():
                if SIGNAL.search(line) or STATUS.search(line) or "cannot start" in line:
                    found[line.split(": ", 1)[-1] if "worker" not in line else line] += 1
            try:
                daemon.assert_no_sanitizer_report()
            except AssertionError as report:
                found[str(report)[:2000]] += 1
        return list(found)

    def left_over(self):
        return [pid for daemon in self.masters for pid in daemon.members()]
