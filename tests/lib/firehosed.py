"""firehosed as a real process, with a configuration, a log, a control socket and a pid file of its own."""

import json
import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGKILL, SIGTERM

from processes import Process, freeze, is_alive, kill_session, members_of_session
from waiting import Late, wait_for

ROOT = Path(__file__).resolve().parents[2]
# Real frames and the protocol's test vectors, which are no part of the project. Tests that need them skip without.
SHARED = Path(os.environ.get("FIREHOSED_SHARED", ROOT.parent / "shared"))
# Tests kill workers with these signals, and a sanitizer must not report that.
NO_REPORT = {"ASAN_OPTIONS": "handle_segv=0:handle_sigbus=0:handle_abort=0"}
SANITIZER = re.compile(r"(ERROR: \w+Sanitizer|runtime error:|^==\d+==.*(Invalid|uninitialised))", re.M)

# A developer's shell may have set these variables, and those of the tests (FIREHOSED_BUILD and others). The daemon would
# read the first, and would refuse the second as unknown.
FOREIGN = ("RELAY_URL", "REDIS_URL", "REDIS_STREAM_KEY", "REDIS_CURSOR_KEY", "REDIS_MAX_STREAM_LEN", "LOG_LEVEL")


def program(name):
    """Returns the path of a built program: in $FIREHOSED_BUILD, at the top of the project, or in build/."""
    if os.environ.get("FIREHOSED_BUILD"):
        places = [Path(os.environ["FIREHOSED_BUILD"])]
    else:
        places = [ROOT, ROOT / "build"]
    for place in places:
        if os.access(place / name, os.X_OK):
            return place / name
    raise AssertionError(f"{name} is not built; looked in {', '.join(map(str, places))}")


@lru_cache
def is_sanitized():
    """Returns true if the build has AddressSanitizer. gcc links its library, and clang puts it into the program."""
    return b"__asan_init" in program("firehosed").read_bytes()


def clean_environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN and not name.startswith("FIREHOSED_")}
    return {**kept, **more}


def preloaded(library, **more):
    """Returns an environment that preloads tests/tools/<library>.so. AddressSanitizer wants to be the first library."""
    return {
        "LD_PRELOAD": str(program(f"tests/tools/{library}.so")),
        "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", ""),
        **more,
    }


def run(name, *arguments, environment=None, deadline=30):
    """Runs a program to its end, and returns the result of subprocess.run()."""
    return subprocess.run(
        [program(name), *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=deadline,
        env=environment or clean_environment(),
        stdin=subprocess.DEVNULL,
        cwd="/",
    )


class Firehosed:
    """`settings` are keys of the configuration file. None leaves a key out. By default firehosed starts at the oldest
    event and saves the cursor often."""

    DEFAULTS = {
        "start": "oldest",
        "workers": 2,
        "cursor_interval": "100ms",
        "relay_connect_timeout": "10s",
        "relay_backoff": "100ms",
        "shutdown_timeout": "10s",
    }

    def __init__(self, directory, environment=None, **settings):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config = self.directory / "firehosed.conf"
        self.pid_file = self.directory / "firehosed.pid"
        self.control_socket = self.directory / "control.sock"
        self.stderr = self.directory / "stderr.log"
        self.environment = environment or {}
        self.settings = {
            **self.DEFAULTS,
            "pid_file": self.pid_file,
            "control_socket": self.control_socket,
            **settings,
        }
        self.process = None
        self.sessions = set()  # sessions of a daemon in the background
        self.write_config()

    # -- Configuration ---------------------------------------------------------------------------------------

    def write_config(self, **changes):
        self.settings.update(changes)
        lines = [f"{key} = {value}\n" for key, value in self.settings.items() if value is not None]
        fresh = self.config.with_suffix(".new")  # a reload may read the file at this moment
        fresh.write_text("".join(lines))
        fresh.rename(self.config)

    def reload(self, **changes):
        """Changes the configuration file, and sends SIGHUP."""
        self.write_config(**changes)
        self.signal(SIGHUP)

    # -- Life ----------------------------------------------------------------------------------------------

    def start(self, *arguments, wait=True):
        """Starts firehosed in the foreground. With `wait`, waits until it answers on the control socket."""
        assert not self.is_running(), "firehosed runs already"
        with open(self.stderr, "ab") as stderr:
            self.process = Process(
                [program("firehosed"), "-f", "-c", self.config, *arguments],
                environment=clean_environment(**self.environment),
                stdout=stderr,
                stderr=stderr,
            )
        if wait:
            self.wait_status(lambda s: True, "to answer on the control socket")
        return self

    def start_in_background(self):
        """Starts firehosed as an init script does, without -f. Returns the exit code of the command."""
        with open(self.stderr, "ab") as stderr:
            launcher = Process([program("firehosed"), "-c", self.config], clean_environment(**self.environment),
                               stdout=stderr, stderr=stderr)  # fmt: skip
        code = launcher.wait("firehosed to detach")
        if code == 0:  # now the pid is in its file, and an init script may rely on that
            self.sessions.add(os.getsid(self.master_pid()))
        self.sessions.add(launcher.pid)
        return code

    def is_running(self):
        return self.process is not None and self.process.is_running()

    def master_pid(self):
        return int(self.pid_file.read_text())

    def signal(self, number):
        self.process.signal(number)

    def members(self):
        """Returns the pids of the living master and workers, without asking them."""
        sessions = set(self.sessions) | ({self.process.pid} if self.process else set())
        return sorted(pid for session in sessions for pid in members_of_session(session))

    def wait_exit(self, code, deadline=30):
        got = self.process.wait("the end of firehosed", deadline)
        assert got == code, f"exit code {got}, expected {code}\n{self.tail()}"
        wait_for(lambda: not self.members(), lambda: f"the end of all processes, {self.members()} are left")
        self.assert_no_sanitizer_report()

    def stop(self, code=0, number=SIGTERM):
        """Ends firehosed in order, and asserts its exit code."""
        self.signal(number)
        self.wait_exit(code)

    def kill(self):
        """Sends SIGKILL to the master alone. The workers must end by themselves."""
        self.process.signal(SIGKILL)
        self.process.wait()
        wait_for(lambda: not self.members(), lambda: f"workers to end without their master, {self.members()} are left")

    def restart(self):
        return self.start()

    def close(self):
        """Kills all processes of firehosed."""
        for session in self.sessions:
            kill_session(session)
        if self.process is not None:
            self.process.kill_all()

    # -- Status --------------------------------------------------------------------------------------------

    def status(self):
        """Returns the answer to `firehosectl status --json`, or None while firehosed does not answer."""
        done = run("firehosectl", "-s", self.control_socket, "status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_status(self, holds, what, deadline=30):
        """Waits until holds(status) is true, and returns that status."""
        last = None

        def is_so():
            nonlocal last
            if self.process is not None and not self.process.is_running() and not self.sessions:
                raise AssertionError(f"firehosed ended with {self.process.popen.returncode}\n{self.tail()}")
            last = self.status()
            return last if last is not None and holds(last) else None

        return wait_for(is_so, lambda: f"firehosed {what}; its status: {json.dumps(last, indent=1)}", deadline)

    def wait_connected(self):
        return self.wait_status(lambda s: s["relay"]["connected"], "to be connected to the relay")

    def wait_workers(self, count):
        """Waits until exactly `count` workers live, and returns their pids by index."""

        def so(status):
            pids = [w["pid"] for w in status["workers"]]
            return len(pids) == count and all(pid > 0 and is_alive(pid) for pid in pids)

        return [w["pid"] for w in self.wait_status(so, f"to have {count} workers")["workers"]]

    def wait_worker_replaced(self, index, old_pid):
        def so(status):
            worker = status["workers"][index]
            return worker["pid"] not in (0, old_pid) and is_alive(worker["pid"])

        return self.wait_status(so, f"to replace worker {index}")["workers"][index]

    def worker_pids(self):
        """Returns the pids of all workers, when all of them run. A worker in replacement has pid 0, and a signal to
        process 0 goes to the tests themselves."""
        status = self.wait_status(lambda s: all(w["pid"] > 0 for w in s["workers"]), "to have all workers at once")
        return [w["pid"] for w in status["workers"]]

    def wait_settled(self, received=None):
        """Waits until nothing is in flight, and returns the status."""
        return self.wait_status(
            lambda s: s["in_flight"] == 0 and (received is None or s["received"] >= received), "to finish its work"
        )

    def assert_balance(self, received=None):
        """Asserts that received = written + filtered + quarantined + duplicate when nothing is in flight."""
        try:
            return self.wait_status(
                lambda s: s["in_flight"] == 0
                and s["received"] == s["written"] + s["filtered"] + s["quarantined"] + s["duplicate"]
                and (received is None or s["received"] == received),
                "to balance" + ("" if received is None else f" at {received} received"),
                deadline=10,
            )
        except Late as late:
            raise AssertionError(str(late)) from None

    # -- Log -----------------------------------------------------------------------------------------------

    def log(self):
        """Returns the whole log: stderr, and the log file."""
        text = self.stderr.read_text(errors="replace") if self.stderr.exists() else ""
        log_file = self.settings.get("log_file")
        if log_file and Path(log_file).is_file():
            text += Path(log_file).read_text(errors="replace")
        return text

    def log_lines(self, pattern):
        compiled = re.compile(pattern)
        return [line for line in self.log().splitlines() if compiled.search(line)]

    def wait_log(self, pattern, count=1, deadline=30):
        """Waits for `count` lines that match, and returns the last of them."""
        wait_for(
            lambda: len(self.log_lines(pattern)) >= count,
            lambda: f"{count} line(s) matching {pattern!r} in the log, which ends:\n{self.tail()}",
            deadline,
        )
        return self.log_lines(pattern)[count - 1]

    def tail(self, lines=40):
        return "".join(self.log().splitlines(keepends=True)[-lines:])

    def assert_no_sanitizer_report(self):
        assert not SANITIZER.search(self.log()), f"a sanitizer complains:\n{self.tail(80)}"


class Replay:
    """`firehose-replay serve`: a fast relay. It sends the frames of the capture file `source`, or generated ones."""

    def __init__(self, *arguments, source=None, certificate=None):
        tls = ["--tls-cert", certificate.cert, "--tls-key", certificate.key] if certificate else []
        what = ["--generate"] if source is None else [source]
        self.process = Process(
            [program("firehose-replay"), "serve", "--listen", "127.0.0.1:0", *tls, *arguments, *what],
            stdout=subprocess.PIPE,
        )
        line = self.process.popen.stdout.readline().decode()
        match = re.match(r"listening on (wss?://\S+)", line)
        assert match, f"firehose-replay said {line!r}"
        self.url = match[1]

    def freeze(self):
        freeze(self.process.pid)

    def thaw(self):
        self.process.signal(SIGCONT)

    def close(self):
        self.process.kill_all()
        self.process.popen.stdout.close()
