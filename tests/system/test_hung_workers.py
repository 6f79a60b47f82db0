"""A worker stops while its transaction is on the way to Redis. The master replaces it, and Redis refuses the
transaction."""

import os
import signal

import pytest

import events
import stream
from processes import freeze
from proxy import UP
from transactions import EXEC, HoldTransaction
from waiting import wait_for


class HoldExec(HoldTransaction):
    """Passes MULTI and the events to Redis, and keeps EXEC and the bytes after it."""

    async def up(self, link, data):
        if not self.begins(data):
            return data
        link.keeps_server = True
        at = data.find(EXEC)
        if at < 0:
            return data
        self.held = data[at:]
        self.fired.set()
        return data[:at]

    async def see(self, link, direction, data):
        if self.fired.is_set() and direction == UP:
            self.held += data
            return b""
        return await super().see(link, direction, data)


@pytest.mark.parametrize("rule", [HoldTransaction, HoldExec])
@pytest.mark.parametrize("goes_on", [False, True])
def test_worker_stopped_between_multi_and_exec(lab, rule, goes_on):
    s = lab.system_behind_proxy(events.make(50), workers=1, worker_timeout="2s")
    s.wait_delivered()
    (link,) = wait_for(lambda: s.proxy.current("firehosed-worker"), "the worker's connection")
    link.rule = rule()
    s.more(30)
    wait_for(link.rule.fired.is_set, "a transaction on the way")
    (victim,) = s.daemon.worker_pids()
    freeze(victim)
    s.daemon.wait_log(rf"error .*worker 0, pid {victim}: no sign of life")
    if goes_on:
        try:
            os.kill(victim, signal.SIGCONT)  # too late
        except ProcessLookupError:
            pass
    s.daemon.wait_worker_replaced(0, victim)
    s.wait_delivered()
    before = stream.seqs(s.db)
    assert link.rule.deliver(link), "the late EXEC has reached Redis"
    assert stream.seqs(s.db) == before
    assert b"*-1\r\n" in link.rule.answer, f"EXEC was refused: {link.rule.answer[-200:]}"
    s.more(30)
    s.assert_all()
