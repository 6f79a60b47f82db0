"""rig.py: a relay, firehosed and Redis, with a proxy on each side of firehosed, and the verbs of the faults.

Each part has a lock. A fault that takes a part away holds its lock, so that two faults can overlap but do not meet at
one part.
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

# The log may describe the end of a worker so: chaos has killed it, or it has ended on order. Others are crashes.
SIGNAL = re.compile(r"killed by signal (?!9\b)\d+")
STATUS = re.compile(r"worker \d+, pid \d+, exited with status (?!0\b|10\b|11\b|12\b)\d+")
PROGRESS_SECONDS = 40  # without progress for so long and without a fault, firehosed is stuck


class ChaosRig(Rig):
    def __init__(self, options):
        self.options = options
        chance = random.Random(f"{options.seed} settings")
        self.workers = chance.randint(1, 5)
        self.settings = {
            "stream_max_len": 0,
            "stream_full": "wait",
            "dead_letters_max_len": 0,
            "workers": self.workers,
            "batch_events": chance.choice([16, 64, 512, 512]),
            "ring_size": chance.choice(["256K", "2M", "8M"]),  # a small ring wraps all the time
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
        self.count = 0  # the number of all events, known after the last fault
        self.locks = {part: threading.RLock() for part in ("master", "worker", "relay", "redis")}
        self.masters = []  # each Firehosed so far, for its log
        self.daemon = None
        self.losses = self.losses_before = 0  # how often Redis has lost data, now and when the newest master started
        self.garbled = False
        self.log_floor = None  # a file of Redis' log, and the number of its bytes that all faults keep
        self.lives = 0
        self.started = None
        self.keep = None

    def __exit__(self, *details):
        self.stop_all()
        if self.keep is not None:
            shutil.rmtree(self.redis_directory / "appendonlydir", ignore_errors=True)  # large, and useless now
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
        """Runs one round without a fault, and returns what firehosed must make of each frame."""
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
        """Returns another firehosed with files of its own, but the same keys."""
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
        """Returns the number of events that the relay can have sent by now, without any fault."""
        return int((time.monotonic() - self.started) * self.rate)

    def relay_up(self, *arguments):
        """Starts the relay on another port, and points the proxy to it. Some arguments make it misbehave."""
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
        """Returns the children of the master by name, from the kernel and not from the master."""
        found = []
        if self.daemon.process is None:  # the second firehosed, which has not started yet
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
        """Returns a worker, drawn by lot. Waits until there is one."""
        pids = wait_for(lambda: [pid for pid in self.worker_pids() if pid not in besides],
                        lambda: f"a worker; firehosed says:\n{self.daemon.tail(20)}")  # fmt: skip
        return chance.choice(pids)

    def restart_master(self):
        """Starts firehosed again after its end, as an init system does."""
        self.losses_before = self.losses
        self.daemon.start(wait=False)
        self.lives += 1

    # -- What is true of the whole ----------------------------------------------------------------------------------

    def watch(self):
        """Looks for an unexpected end and for counters that do not balance. The run calls it all the time."""
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
        """Waits after the last fault until all events of the relay have arrived."""
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
        """Returns lines of the logs that must never appear, whatever dies."""
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
