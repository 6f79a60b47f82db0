"""rig.py: a private relay over TLS → firehosed → Redis, and what they cost. Nothing of it stays.

quickstart and bench use it. The parts are those of the system tests (tests/lib), which start them, wait for them and
end them. This file connects the three, and measures them.
"""

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

from certificates import Authority
from firehosed import ROOT, Firehosed, Replay, program, run
from processes import Process, cpu_seconds, kill_session
from redis_server import RedisServer
from waiting import Late, wait_for

__all__ = ["ROOT", "STREAM", "Authority", "Firehosed", "Late", "Replay", "Rig", "Usage", "program", "run", "wait_for"]
STREAM = "firehose:events"


class Rig:
    """A folder and all processes of one run. `with Rig() as rig:` leaves nothing behind, also after Ctrl-C, a signal or
    an error."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __enter__(self):
        self.parts = []
        self.redis = self.relay = self.daemon = self.peer = None
        for number in self.SIGNALS:
            signal.signal(number, interrupt)
        self.directory = Path(tempfile.mkdtemp(prefix="firehosed-"))
        try:
            self.authority = Authority(self.directory / "ca", "Throw-away authority")
            self.certificate = self.authority.issue("relay")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self.stop_all()
        for child in children():  # a child whose start was interrupted
            kill_session(child)
        shutil.rmtree(self.directory, ignore_errors=True)
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def stop_all(self):
        while self.parts:
            self.parts.pop().close()
        self.redis = self.relay = self.daemon = self.peer = None

    def start_redis(self, **options):
        self.redis = RedisServer(self.directory / f"redis{time.monotonic_ns()}", **options)
        self.parts.append(self.redis)
        self.redis.start()
        self.db = self.redis.client()
        return self.redis

    def start_relay(self, *arguments, source=None, tls=True):
        """Starts firehose-replay over TLS, under a name of its certificate."""
        self.relay = Replay(*arguments, source=source, certificate=self.certificate if tls else None)
        self.parts.append(self.relay)
        self.relay_url = self.relay.url.replace("127.0.0.1", "localhost")
        return self.relay

    def start_firehosed(self, **settings):
        defaults = {"relay": self.relay_url, "relay_ca_file": self.authority.cert} if self.relay else {}
        self.daemon = Firehosed(
            self.directory / f"firehosed{time.monotonic_ns()}",
            **{**defaults, "redis": self.redis.url(), "cursor_interval": None, **settings},
        )
        self.parts.append(self.daemon)
        self.daemon.start()
        return self.daemon

    def start_peer(self, command, environment):
        """Starts another program in the place of firehosed."""
        self.peer = Peer(command, environment, self.directory / f"peer{time.monotonic_ns()}.log")
        self.parts.append(self.peer)
        return self.peer

    # -- What is asked of it -----------------------------------------------------------------------------------

    def added(self):
        """Returns the number of entries ever added to the stream, with the trimmed ones."""
        if not self.db.exists(STREAM):
            return 0
        info = self.db.xinfo_stream(STREAM)
        return info.get("entries-added", info["length"])  # Redis 6 does not count them

    def last_added(self):
        """Returns the Unix time of the last entry, from its id."""
        return int(self.db.xinfo_stream(STREAM)["last-generated-id"].split("-")[0]) / 1000

    def pids(self):
        """Returns role → pids."""
        roles = {"redis": self.redis.process.members()}
        if self.relay:
            roles["relay"] = self.relay.process.members()
        if self.daemon:
            master = self.daemon.process.pid
            roles.update(master=[master], workers=[pid for pid in self.daemon.members() if pid != master])
        if self.peer:
            roles["peer"] = self.peer.members()
        return roles

    def redis_cpu(self):
        return sum(cpu_seconds(pid) for pid in self.redis.process.members())

    def usage(self):
        return Usage(self)


class Peer:
    """A program that does the work of firehosed, with all processes that it starts."""

    def __init__(self, command, environment, log):
        self.log = log
        with open(log, "wb") as file:
            self.process = Process([str(part) for part in command], environment, stdout=file, stderr=file)

    def members(self):
        return self.process.members()

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:]

    def close(self):
        self.process.kill_all()


class Usage:
    """The resources used up to a moment. The difference of two is the cost of the time between them."""

    def __init__(self, rig):
        roles = rig.pids()
        self.time = time.monotonic()
        self.cpu = {role: sum(cpu_seconds(pid) for pid in pids) for role, pids in roles.items()}
        self.added = rig.added()
        self.pss = sum(pss_bytes(pid) for role in ("master", "workers", "peer") for pid in roles.get(role, ()))


def interrupt(number, _frame):
    raise KeyboardInterrupt(signal.Signals(number).name)


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]


def pss_bytes(pid):
    """Returns the memory of a process. Shared pages are divided among the processes."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
