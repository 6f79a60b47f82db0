"""Faults of the network: bytes arrive in part, too late, or after firehosed has given up waiting."""

import events
from proxy import DOWN
from transactions import CutAfterExec, HoldTransaction
from waiting import wait_for


class Half:
    """Passes the first half of the next large piece, and nothing after it."""

    def __init__(self):
        self.done = False

    async def see(self, link, direction, data):
        if direction != DOWN:
            return data
        if self.done:
            return b""
        self.done = len(data) > 1000
        return data[: len(data) // 2] if self.done else data


def test_relay_that_falls_silent_within_a_tls_record_is_dropped(lab):
    relay = lab.relay(events.make(10), certificate=lab.certificates.good, host="127.0.0.1", name="localhost")
    proxy = lab.proxy("relay", relay)
    s = lab.system(relay=relay, start=False, relay_idle_timeout="3s", relay_ping_interval="500ms")
    s.daemon.write_config(relay=f"wss://localhost:{proxy.port}")
    s.daemon.start()
    s.wait_delivered()
    (link,) = proxy.current()
    link.rule = half = Half()
    more = s.more(200)
    wait_for(lambda: half.done, "the half of a record")
    assert s.daemon.status(), "firehosed does not answer"
    relay.wait_upgraded(2)
    s.assert_all()
    assert more


def hold_a_transaction(proxy, name="firehosed-worker"):
    (link,) = wait_for(lambda: proxy.current(name), "the worker's connection")
    link.rule = HoldTransaction()
    return link, link.rule


def wait_another(proxy, link):
    wait_for(lambda: any(other is not link for other in proxy.current("firehosed-worker")), "another connection")


def proxied_redis(lab):
    s = lab.system_behind_proxy(events.make(50), workers=1)
    s.wait_delivered()
    return s, s.proxy


def test_transaction_of_a_connection_that_broke_arrives_late(lab):
    """The worker has written the events over its next connection. Redis must not execute the late transaction."""
    s, proxy = proxied_redis(lab)
    link, rule = hold_a_transaction(proxy)
    s.more(20)
    wait_for(rule.fired.is_set, "a transaction on the way")
    proxy.call(link.cut_side, link.client)
    wait_another(proxy, link)
    s.wait_delivered()
    s.daemon.wait_settled()
    assert rule.deliver(link)
    s.assert_all()


def test_transaction_of_a_broken_connection_arrives_between_question_and_retry(lab):
    """The worker reads its marks over a new connection, and sends the rest again. Then the old transaction arrives."""
    s, proxy = proxied_redis(lab)
    link, rule = hold_a_transaction(proxy)
    s.more(20)
    wait_for(rule.fired.is_set, "a transaction on the way")
    seconds = []

    def hold_again(second):
        second.rule = HoldTransaction()
        seconds.append(second)

    proxy.on_link = hold_again
    proxy.call(link.cut_side, link.client)
    second = wait_for(lambda: next((one for one in seconds if one.rule.fired.is_set()), None), "the retry to be sent")
    proxy.on_link = None
    assert rule.deliver(link)
    assert second.rule.deliver(second)
    s.assert_all()


def test_answer_to_a_transaction_that_was_executed_is_lost(lab):
    s, proxy = proxied_redis(lab)
    (link,) = proxy.current("firehosed-worker")
    link.rule = rule = CutAfterExec()
    s.more(20)
    wait_for(rule.fired.is_set, "the cut")
    s.assert_all()
