"""Real processes: a session each, so that everything they fork is found and nothing is left behind."""

import os
import signal
import subprocess

from waiting import wait_for


def members_of_session(session):
    """Pids of all living processes (no zombies) of a session."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(name))
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def freeze(pid):
    """SIGSTOP; returns when the process has stopped: the signal alone leaves it a moment to go on."""
    os.kill(pid, signal.SIGSTOP)

    def has_stopped():
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"

    wait_for(has_stopped, f"process {pid} to stop")


def status_fields(pid, *names):
    """The values of these lines of /proc/PID/status."""
    with open(f"/proc/{pid}/status") as status:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    return [lines[name].strip() for name in names]


def open_files(pid):
    """What each open descriptor of a process leads to."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            pass  # it was closed meanwhile
    return found


def kill_session(session):
    """SIGKILL to every member, until there is none."""

    def none_left():
        members = members_of_session(session)
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not members

    wait_for(none_left, f"the end of session {session}")


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid):
    """CPU time of all threads that live, from the scheduler's nanoseconds; from clock ticks where it has none."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as stat:
                total += int(stat.read().split()[0])
        return total / 1e9
    except FileNotFoundError:
        pass
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0  # it ended meanwhile


class Process:
    """A child in a session of its own."""

    def __init__(self, arguments, environment=None, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"):
        self.arguments = [str(a) for a in arguments]
        self.popen = subprocess.Popen(
            self.arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            start_new_session=True,
        )
        self.pid = self.popen.pid

    def is_running(self):
        return self.popen.poll() is None

    def members(self):
        return members_of_session(self.pid)

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, what=None, deadline=30):
        """Its exit code; minus a signal's number where that ended it."""
        wait_for(lambda: not self.is_running(), what or f"the end of {self.arguments[0]}", deadline)
        return self.popen.returncode

    def kill_all(self):
        kill_session(self.pid)
        self.popen.wait()
