"""Real processes. Each has a session of its own, so that a test finds and ends all processes that it forks."""

import os
import signal
import subprocess

from waiting import wait_for


def members_of_session(session):
    """Returns the pids of all living processes of a session, without zombies."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue  # the process has ended meanwhile
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
    """Sends SIGSTOP, and returns when the process has stopped. The signal alone lets it run a little longer."""
    os.kill(pid, signal.SIGSTOP)

    def has_stopped():
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"

    wait_for(has_stopped, f"process {pid} to stop")


def status_fields(pid, *names):
    """Returns the values of these lines of /proc/PID/status."""
    with open(f"/proc/{pid}/status") as status:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    return [lines[name].strip() for name in names]


def open_files(pid):
    """Returns the target of each open descriptor of a process."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            pass  # the process has closed it meanwhile
    return found


def kill_session(session):
    """Sends SIGKILL to all members until none is left."""

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
    """Returns the CPU time of all living threads, as the scheduler has it, or in clock ticks without schedstat."""
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
        return 0.0  # the process has ended meanwhile


class Process:
    """A child process in a session of its own."""

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
        """Returns the exit code, or the negative number of the signal that ended the process."""
        wait_for(lambda: not self.is_running(), what or f"the end of {self.arguments[0]}", deadline)
        return self.popen.returncode

    def kill_all(self):
        kill_session(self.pid)
        self.popen.wait()
