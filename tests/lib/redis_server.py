"""A real redis-server for one test, and the ways in which it can fail."""

import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import redis

from ports import free_port
from processes import Process, freeze
from waiting import wait_for


class RedisServer:
    """`options` are lines of redis.conf: maxmemory="2mb", replicaof="127.0.0.1 6380", …"""

    def __init__(self, directory, *, aof=False, password=None, users=(), certificate=None, ca_file=None, **options):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.socket = self.directory / "redis.sock"
        self.password = password
        self.certificate = certificate
        self.ca_file = ca_file
        self.lines = {"save": '""', "appendonly": "yes" if aof else "no", "appendfsync": "always", **options}
        self.users = list(users)
        self.process = None

    # -- Life ----------------------------------------------------------------------------------------------

    def start(self, wait=True):
        assert self.process is None or not self.process.is_running(), "redis-server runs already"
        self._write_configuration()
        with open(self.directory / "redis.log", "ab") as log:
            self.process = Process(
                [os.environ.get("FIREHOSED_REDIS_SERVER", "redis-server"), self.directory / "redis.conf"],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if wait:
            self.wait_ready()
        return self

    def _write_configuration(self):
        tls = self.certificate is not None
        lines = {
            "bind": "127.0.0.1",
            "port": 0 if tls else self.port,
            "dir": self.directory,
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "daemonize": "no",
            "io-threads": 1,
            "repl-diskless-sync-delay": 0,
            "maxmemory-policy": "noeviction",
            **{key.replace("_", "-"): value for key, value in self.lines.items()},
        }
        if tls:
            lines.update({
                "tls-port": self.port,
                "tls-cert-file": self.certificate.cert,
                "tls-key-file": self.certificate.key,
                "tls-auth-clients": "no",
                "tls-ca-cert-file": self.ca_file,
            })  # fmt: skip
        if self.password:
            lines["requirepass"] = f'"{self.password}"'
        text = "".join(f"{key} {value}\n" for key, value in lines.items())
        text += "".join(f"user {user}\n" for user in self.users)
        (self.directory / "redis.conf").write_text(text)

    def wait_ready(self):
        def answers():
            if not self.process.is_running():
                raise AssertionError(f"redis-server ended at start:\n{self.log_tail()}")
            try:
                with self.client() as client:
                    return client.ping()
            except (redis.ConnectionError, redis.BusyLoadingError, OSError):
                return False

        wait_for(answers, "redis-server to answer")

    def is_running(self):
        return self.process is not None and self.process.is_running()

    def kill(self):
        """Sends SIGKILL: this stands for a crash of the machine, or for the kernel's out-of-memory killer."""
        self.process.kill_all()

    def stop(self):
        if self.is_running():
            self.process.signal(signal.SIGCONT)
            self.process.signal(signal.SIGTERM)
            self.process.wait("the end of redis-server")

    def restart(self):
        """Starts Redis again, on the same port and with the same data."""
        self.kill() if self.is_running() else None
        return self.start()

    def start_as_init(self, attempts=3):
        """Starts Redis as a service manager does: again, if it ends at once."""
        for last in reversed(range(attempts)):
            try:
                return self.start()
            except AssertionError:
                if not last:
                    raise

    def freeze(self):
        freeze(self.process.pid)

    def thaw(self):
        self.process.signal(signal.SIGCONT)

    def close(self):
        if self.process is not None:
            self.process.kill_all()

    # -- The append-only log --------------------------------------------------------------------------------

    def append_only_file(self):
        """Returns the file that Redis appends to."""
        before_7 = self.directory / "appendonly.aof"
        if before_7.exists():
            return before_7
        return max((self.directory / "appendonlydir").glob("*.incr.aof"), key=lambda file: file.stat().st_mtime_ns)

    def rewriter(self):
        """Returns the pid of the process that rewrites the log, or None."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    # -- Use -----------------------------------------------------------------------------------------------

    def client(self, db=0):
        """Connects as the administrator. The unix socket works however the TCP side is set up."""
        return redis.Redis(
            unix_socket_path=str(self.socket),
            db=db,
            password=self.password,
            decode_responses=True,
            socket_timeout=20,
            client_name="test",
        )

    def url(self, *, user="", password=None, db=None, host="127.0.0.1"):
        """Returns the URL for a daemon's configuration: Redis over TCP."""
        password = self.password if password is None else password
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
        scheme = "rediss" if self.certificate else "redis"
        return f"{scheme}://{login}{host}:{self.port}" + ("" if db is None else f"/{db}")

    def unix_url(self, db=0):
        return f"unix://{self.socket}?db={db}"

    def daemon_clients(self):
        """Returns CLIENT LIST without the test's own connections."""
        with self.client() as client:
            return [c for c in client.client_list() if c["name"] != "test"]

    def kill_daemon_clients(self):
        with self.client() as client:
            for other in self.daemon_clients():
                client.execute_command("CLIENT", "KILL", "ID", other["id"], "SKIPME", "yes")

    def log_tail(self, lines=20):
        path = self.directory / "redis.log"
        return "".join(path.open(errors="replace").readlines()[-lines:]) if os.path.exists(path) else ""
