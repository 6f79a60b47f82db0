"""A TCP proxy between firehosed and a peer. It does to their bytes what networks do.

A link is one connection of firehosed together with its counterpart at the peer. A test can hold a link (its bytes wait)
or cut it (a reset), and can give it one rule. A rule is an object that sees all bytes, and may hold, change or swallow
them. transactions.py has rules for Redis, which know where a transaction begins and ends.

The proxy runs in a thread with an event loop of its own. Other threads use call().
"""

import asyncio
import re
import socket
import struct
import threading

CHUNK = 256 * 1024
UP, DOWN = "up", "down"  # from firehosed to the peer; from the peer to firehosed


class Link:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.number = 0  # rises with each link
        self.name = None  # the name that firehosed gives itself with CLIENT SETNAME
        self.open = {UP: asyncio.Event(), DOWN: asyncio.Event()}  # while it is cleared, bytes of that direction wait
        self.open[UP].set(), self.open[DOWN].set()
        self.delay = 0.0
        self.rule = None
        self.bytes = {UP: 0, DOWN: 0}
        self.is_closed = False
        self.keeps_server = self.keeps_client = False  # the end of one side does not end the other
        self.tasks = []

    async def pump(self, direction):
        loop = asyncio.get_running_loop()
        source, target = (self.client, self.server) if direction == UP else (self.server, self.client)
        try:
            while True:
                data = await loop.sock_recv(source, CHUNK)
                if not data:
                    break
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self.open[direction].wait()
                if self.name is None and direction == UP:
                    self._learn_name(data)
                if self.rule is not None:
                    data = await self.rule.see(self, direction, data)
                self.bytes[direction] += len(data)
                if data:
                    await loop.sock_sendall(target, data)
        except (OSError, asyncio.CancelledError):
            pass
        if not (self.keeps_server if direction == UP else self.keeps_client):
            self.cut(reset=False)

    def _learn_name(self, data):
        match = re.search(rb"SETNAME\r\n\$\d+\r\n([^\r]+)\r\n", data)
        if match:
            self.name = match[1].decode()

    def cut(self, reset=True):
        """Ends both sides of the link."""
        if self.is_closed:
            return
        self.is_closed = True
        self.cut_side(self.client, reset), self.cut_side(self.server, reset)
        for task in self.tasks:
            task.cancel()
        self.proxy.links.discard(self)

    @staticmethod
    def cut_side(sock, reset=True):
        if reset and sock.fileno() >= 0:
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
        # A task may still wait for this socket, and must not meet its number on another one. So the socket is shut down
        # now, and closed after this turn of the loop.
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        asyncio.get_running_loop().call_soon(sock.close)

    def hold(self, *directions):
        for direction in directions or (UP, DOWN):
            self.open[direction].clear()

    def release(self):
        self.open[UP].set(), self.open[DOWN].set()


class Proxy:
    """Listens on a port of its own and connects to `target` (host, port). A test may change the target."""

    def __init__(self, name, target):
        self.name, self.target = name, target
        self.links = set()
        self.accepted = self.refused = 0
        self.delay = 0.0
        self.refuses = False  # the proxy accepts new connections and ends them at once
        self.on_link = None  # called with each new link before its first byte
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda loop, context: None)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy:{name}", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop)

    async def _serve(self):
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._listener)
            except OSError:
                return
            loop.create_task(self._connect(client))

    async def _connect(self, client):
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted += 1
        if self.refuses:
            self.refused += 1
            client.close()
            return
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.setblocking(False)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.get_running_loop().sock_connect(server, self.target)
        except OSError:
            client.close(), server.close()
            return
        link = Link(self, client, server)
        link.number = self.accepted
        link.delay = self.delay
        if self.on_link is not None:
            self.on_link(link)
        self.links.add(link)
        link.tasks = [asyncio.ensure_future(link.pump(UP)), asyncio.ensure_future(link.pump(DOWN))]

    # -- For faults, from other threads --------------------------------------------------------------------------

    def call(self, function, *arguments):
        """Runs `function` in the proxy's thread, waits for it, and returns its value."""

        async def run():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(30)

    def current(self, name=""):
        """Returns the open links of clients whose name begins with `name`."""
        return self.call(lambda: [link for link in self.links if (link.name or "").startswith(name)])

    def cut_all(self):
        def cut():
            links = list(self.links)
            for link in links:
                link.cut()
            return len(links)

        return self.call(cut)

    def set_delay(self, seconds):
        def delay():
            self.delay = seconds
            for link in self.links:
                link.delay = seconds

        self.call(delay)

    def close(self):
        def end():
            self._listener.close()
            for link in list(self.links):
                link.cut()

        self.call(end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
