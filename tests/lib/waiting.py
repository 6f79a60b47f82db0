"""Waiting for conditions. A test never sleeps and then asserts: it waits until something is so, with a deadline
that only a broken program reaches. FIREHOSED_PATIENCE multiplies the deadlines (sanitizers, valgrind, slow machines).
"""

import os
import time

PATIENCE = float(os.environ.get("FIREHOSED_PATIENCE", "1"))
DEADLINE = 30


class Late(AssertionError):
    """A condition did not come true in time."""


def wait_for(condition, what, deadline=DEADLINE, every=0.02):
    """Calls `condition` until it is true, and returns what it returned.

    `what` finishes the sentence "waited in vain for …": a text, or a function that makes one when it is too late.
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
    """The opposite: `condition` must stay true all along. For what must *not* happen; keep `seconds` short: it can
    only miss a fault, never see one that is not there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"did not hold: {what}"
        time.sleep(0.02)
