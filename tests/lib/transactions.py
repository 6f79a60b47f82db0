"""What a network may do to a transaction on its way to Redis.

A test sets a rule on a link of a proxy. The rule waits for the next transaction, acts once, and sets `fired`.
"""

import asyncio
import threading

from proxy import DOWN, UP

MULTI, EXEC = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n"
ANSWER_SECONDS = 10  # the time that Redis has to answer a late transaction


class Rule:
    wanted = b""

    def __init__(self):
        self.fired = threading.Event()
        self.is_in_transaction = False
        self.tail = b""  # the end of the bytes before: a read may end within EXEC

    async def see(self, link, direction, data):
        """Returns the bytes that the proxy passes on."""
        if self.fired.is_set():
            return data
        return await (self.up(link, data) if direction == UP else self.down(link, data))

    async def up(self, link, data):
        return data

    async def down(self, link, data):
        return data

    def begins(self, data):
        """Returns true from the first bytes of a transaction on. They must hold `wanted`."""
        if not self.is_in_transaction and MULTI in data and self.wanted in data:
            self.is_in_transaction = True
        return self.is_in_transaction

    def ends(self, data):
        seen = self.tail + data
        self.tail = seen[-len(EXEC) :]
        return EXEC in seen


class CutAfterExec(Rule):
    """The whole transaction reaches Redis, but its answer never reaches firehosed."""

    def __init__(self):
        super().__init__()
        self.has_ended = False

    async def up(self, link, data):
        if self.begins(data) and self.ends(data):
            self.has_ended = True
        return data

    async def down(self, link, data):
        if not self.is_in_transaction:
            return data
        if self.has_ended:
            await asyncio.sleep(0.01)
            self.fired.set()
            link.cut()
        return b""


class CutInTransaction(Rule):
    """Redis gets a part of the transaction."""

    async def up(self, link, data):
        if not self.begins(data):
            return data
        part = data[: data.index(MULTI) + max(len(MULTI), (len(data) - data.index(MULTI)) // 2)]
        if EXEC in part:
            part = part[: part.index(EXEC)]
        await asyncio.get_running_loop().sock_sendall(link.server, part)
        await asyncio.sleep(0.01)
        self.fired.set()
        link.cut()
        return b""


class CutInReply(Rule):
    """Redis executes the transaction, and firehosed gets a part of the answer."""

    async def up(self, link, data):
        if self.begins(data):
            self.ends(data)
        return data

    async def down(self, link, data):
        if not self.is_in_transaction:
            return data
        await asyncio.get_running_loop().sock_sendall(link.client, data[: max(1, len(data) * 2 // 3)])
        await asyncio.sleep(0.02)
        self.fired.set()
        link.cut()
        return b""


class HoldTransaction(Rule):
    """Keeps a whole transaction with events, as a buffer in the network does. deliver() sends it later, when firehosed
    does not wait for its answer any more. `answer` is what Redis answers then."""

    wanted = b"$4\r\nXADD\r\n"

    def __init__(self):
        super().__init__()
        self.held, self.answer = b"", b""

    async def up(self, link, data):
        if not self.begins(data):
            return data
        self.held += data
        link.keeps_server = True  # also after firehosed has ended its side
        if self.ends(data):
            self.fired.set()
        return b""

    async def see(self, link, direction, data):
        if self.fired.is_set():
            self.held += data if direction == UP else b""
            self.answer += data if direction == DOWN else b""
            return b""
        return await super().see(link, direction, data)

    async def _deliver(self, link):
        loop = asyncio.get_running_loop()
        # An ECHO follows the transaction: its answer proves that Redis has answered EXEC before.
        await loop.sock_sendall(link.server, self.held + b"*2\r\n$4\r\nECHO\r\n$9\r\ndelivered\r\n")
        for _ in range(int(ANSWER_SECONDS / 0.02)):
            if b"$9\r\ndelivered\r\n" in self.answer:
                break
            await asyncio.sleep(0.02)
        link.cut()

    def deliver(self, link):
        """Sends the transaction, and returns true if Redis has read it, whether or not it has executed it."""
        future = asyncio.run_coroutine_threadsafe(self._deliver(link), link.proxy._loop)
        try:
            future.result(ANSWER_SECONDS + 5)
        except OSError:  # Redis has ended the connection meanwhile
            return False
        return b"$9\r\ndelivered\r\n" in self.answer


class HoldAnyTransaction(HoldTransaction):
    """Does the same to a transaction without events: the master's."""

    wanted = b""
