"""The control protocol, spoken by hand, and firehosectl as a person or a script calls it."""

import json
import socket

from firehosed import run


def ctl(daemon, *arguments, deadline=60):
    return run("firehosectl", "-s", daemon.control_socket, *arguments, deadline=deadline)


def ctl_json(daemon, *arguments):
    """Runs a command that must succeed, and returns its answer."""
    done = ctl(daemon, *arguments, "--json")
    assert done.returncode == 0, f"firehosectl {arguments}: {done.returncode} {done.stderr}"
    assert done.stderr == ""
    return json.loads(done.stdout)


def ask(daemon, command, **args):
    """The result of one command that must go well, over a connection of its own."""
    with Control(daemon) as control:
        answer = control.ask(command, **args)
    assert answer["ok"], answer
    return answer["result"]


class Control:
    """One connection to the control socket."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(daemon.control_socket))
        self.lines = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.lines.close()
        self.socket.close()

    def send(self, command, id=None, **args):
        request = {"v": 1, "command": command}
        if id is not None:
            request["id"] = id
        if args:
            request["args"] = args
        self.send_line(json.dumps(request).encode())

    def send_line(self, line):
        self.socket.sendall(line + b"\n")

    def receive(self):
        """Returns the next line, or None at the end of the connection."""
        line = self.lines.readline()
        return json.loads(line) if line else None

    def answer(self):
        """Returns the next line that is not an item."""
        while True:
            line = self.receive()
            if line is None or "item" not in line:
                return line

    def ask(self, command, **args):
        self.send(command, **args)
        return self.answer()
