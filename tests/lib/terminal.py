"""A terminal that a program draws on: a tmux server for this test alone."""

import os
import shlex
import shutil
import subprocess
import uuid

from firehosed import clean_environment
from waiting import wait_for

HAS_TMUX = shutil.which("tmux") is not None


class Terminal:
    """Runs `arguments` in a window of that size. The shell prints a line before the program, and a line with the exit
    status after it. The program must give the screen back as it was."""

    def __init__(self, arguments, columns, rows, **environment):
        self.name = f"firehosed-test-{uuid.uuid4().hex[:12]}"
        self.environment = clean_environment(**{"LC_ALL": "C.UTF-8", "TERM": "screen-256color", **environment})
        self.environment.pop("TMUX", None)
        command = " ".join(shlex.quote(str(a)) for a in arguments)
        script = f"echo it was here before; {command}; echo it has left with $?; exec cat"
        self.tmux("new-session", "-d", "-s", "t", "-x", columns, "-y", rows, script)

    def tmux(self, *arguments):
        done = subprocess.run(
            ["tmux", "-L", self.name, "-f", os.devnull, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=60,
        )
        assert done.returncode == 0, f"tmux {arguments}: {done.stderr}"
        return done.stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "t")

    def wait(self, *texts, absent=()):
        """Waits until all texts and none of the absent ones are on the screen, and returns the screen."""

        def so():
            screen = self.screen()
            return screen if all(t in screen for t in texts) and not any(t in screen for t in absent) else None

        return wait_for(so, lambda: f"{texts} (without {absent}) on the screen, which is:\n{self.screen()}", every=0.1)

    def keys(self, *keys):
        self.tmux("send-keys", "-t", "t", *keys)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-t", "t", "-x", columns, "-y", rows)

    def pid_of(self, name):
        """Returns the pid of the process of that name in this terminal, or None."""
        shell = int(self.tmux("display-message", "-p", "-t", "t", "#{pane_pid}"))
        with open(f"/proc/{shell}/task/{shell}/children") as children:
            for child in children.read().split():
                with open(f"/proc/{child}/comm") as comm:
                    if comm.read().strip() == name[:15]:
                        return int(child)
        return None

    def close(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, env=self.environment, timeout=60)
