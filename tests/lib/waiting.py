"""Waits for conditions. A test does not sleep and then assert: it waits until a condition is true. Only a broken
program reaches the deadline. FIREHOSED_PATIENCE multiplies the deadlines (sanitizers, valgrind, slow machines).
"""

import os
import time

PATIENCE = float(os.environ.get("FIREHOSED_PATIENCE", "1"))
DEADLINE = 30


class Late(AssertionError):
    """A condition did not become true before its deadline."""


def wait_for(condition, what, deadline=DEADLINE, every=0.02):
    """Calls `condition` until it returns a true value, and returns that value.

    `what` completes the sentence "waited … in vain for …". It is a text, or a function that makes one at the deadline.
    """
    end = time.monotonic() + deadline * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            text = what() if callable(what) else what
            raise Late(f"waited {deadline * PATIENCE:.0f} s in vain for {text}")
        time.sleep(every)


def hold_for(condition, seconds, what):
    """Asserts that `condition` stays true for `seconds`: for events that must not happen. Keep `seconds` short. A short
    time can miss a fault, but it never reports one that is not there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"did not hold: {what}"
        time.sleep(0.02)
