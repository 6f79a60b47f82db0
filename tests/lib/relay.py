"""A relay that does exactly what a test wants, and remembers what the client did.

    relay = Relay(events.make(100)).start()     # serves the stored events first, then those that are appended
    relay.append(events.make(10, first_seq=…))
    relay.script(refuse(503))                   # the next connection gets this; the one after it is normal again
    relay.wait_connections(2)
    relay.connections[1].cursor                 # the cursor that the client asked for

A script is `async def script(connection)`. It controls the whole connection: bytes, frames, HTTP, silence. When it
returns, the relay closes the connection.
"""

import asyncio
import base64
import hashlib
import re
import socket
import ssl
import struct
import threading
import traceback
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from ports import free_port
from waiting import wait_for

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
XRPC_PATH = "/xrpc/com.atproto.sync.subscribeRepos"
MANY = 64  # messages in one write


def frame(opcode, payload=b"", *, fin=True, rsv=0, mask=None, length=None):
    """Makes one WebSocket frame of a server. Options can break every rule; `length` replaces the true length."""
    length = len(payload) if length is None else length
    head = bytes([fin << 7 | rsv << 4 | opcode])
    masked = 0x80 if mask is not None else 0
    if length < 126:
        head += bytes([masked | length])
    elif length < 1 << 16:
        head += bytes([masked | 126]) + struct.pack(">H", length)
    else:
        head += bytes([masked | 127]) + struct.pack(">Q", length)
    if mask is not None:
        head += mask
        payload = unmask(payload, mask)
    return head + payload


def unmask(payload, key):
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


@dataclass(frozen=True)
class ClientFrame:
    opcode: int
    fin: bool
    rsv: int
    mask: bytes  # None: not masked
    payload: bytes  # unmasked

    @property
    def close_code(self):
        return struct.unpack(">H", self.payload[:2])[0] if len(self.payload) >= 2 else None


@dataclass
class Connection:
    relay: "Relay"
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    # What the client has sent:
    head: str = None
    path: str = None
    query: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)  # names in lower case
    received: list = field(default_factory=list)  # ClientFrame
    # The state of the connection:
    upgraded: bool = False
    sent: int = 0  # messages written by serve()
    client_ended: bool = False  # end of file or reset from the client
    closed: bool = False
    answers_pings: bool = True
    answers_close: bool = True
    listener: asyncio.Task = None

    # -- For tests -----------------------------------------------------------------------------------------

    @property
    def cursor(self):
        """The cursor in the request, or None if the request has none."""
        value = self.query.get("cursor")
        return None if value is None else int(value[0])

    def frames(self, opcode):
        return [f for f in self.received if f.opcode == opcode]

    def wait_frame(self, opcode, count=1):
        wait_for(lambda: len(self.frames(opcode)) >= count, f"{count} frame(s) of opcode {opcode} from the client")
        return self.frames(opcode)[count - 1]

    def wait_ended(self):
        wait_for(lambda: self.client_ended or self.closed, "the client to end the connection")

    # -- For scripts: the opening ---------------------------------------------------------------------------

    async def read_request(self):
        raw = await self.reader.readuntil(b"\r\n\r\n")
        self.head = raw.decode("latin-1")
        lines = self.head.split("\r\n")
        url = urlsplit(lines[0].split(" ")[1])
        self.path, self.query = url.path, parse_qs(url.query, keep_blank_values=True)
        for line in lines[1:]:
            if ":" in line:
                name, value = line.split(":", 1)
                self.headers[name.strip().lower()] = value.strip()

    def accept_key(self):
        key = self.headers.get("sec-websocket-key", "")
        return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()

    async def upgrade(self, accept=None, extra=()):
        """Reads the request, answers 101, and begins to read the frames of the client."""
        if self.head is None:
            await self.read_request()
        accept = accept or self.accept_key()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Accept: {accept}", *extra]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.upgraded = True
        self.listener = asyncio.ensure_future(self._listen())

    async def answer(self, status, reason="", headers=(), body=""):
        """Reads the request, and answers in plain HTTP."""
        if self.head is None:
            await self.read_request()
        lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        await self.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    # -- For scripts: sending -------------------------------------------------------------------------------

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def send_slowly(self, data, size=1):
        """Sends `data` in writes of `size` bytes. The kernel may still join them."""
        for at in range(0, len(data), size):
            await self.send(data[at : at + size])
            await asyncio.sleep(0)

    async def message(self, payload):
        await self.send(frame(BINARY, payload))
        self.sent += 1

    async def fragments(self, payload, cuts, between=b"", empty_end=False):
        """Sends one message in fragments, cut at the given places, with the bytes of `between` after each but the last.
        With `empty_end` the last fragment is empty, as real relays send it."""
        edges = [0, *cuts, len(payload)]
        pieces = [payload[a:b] for a, b in zip(edges, edges[1:])] + ([b""] if empty_end else [])
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1
            await self.send(frame(BINARY if i == 0 else CONTINUATION, piece, fin=last) + (b"" if last else between))
        self.sent += 1

    async def close(self, code=1000, reason=""):
        payload = b"" if code is None else struct.pack(">H", code) + reason.encode()
        await self.send(frame(CLOSE, payload))

    def drop(self):
        """Ends the TCP connection in order, but without a WebSocket close."""
        self.writer.close()

    def reset(self):
        """Ends the connection with a TCP reset."""
        try:
            sock = self.writer.get_extra_info("socket")
        except AttributeError:  # asyncio's TLS transport, once its connection is lost
            return
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def serve(self, limit=None, pace=None):
        """Serves as a correct relay does: from the client's cursor on, first the stored events, then those that are
        appended. Returns after `limit` messages, or never. `pace` is the time between messages in seconds."""
        if not self.upgraded:
            await self.upgrade()
        position, end = self.relay.position_of(self.cursor), None
        if limit is not None:
            end = position + limit
        while end is None or position < end:
            await self.relay.wait_for_event(position)
            stop = min(len(self.relay.log), position + (1 if pace else MANY), end or 1 << 62)
            batch = self.relay.log[position:stop]
            await self.send(b"".join(frame(BINARY, event.frame) for event in batch))
            self.sent += len(batch)
            position = stop
            if pace:
                await asyncio.sleep(pace)

    async def until_client_ends(self):
        """Sends nothing until the client has ended the connection."""
        if self.listener is not None:
            await self.listener
        else:
            while await self.reader.read(65536):
                pass

    # -- Inside --------------------------------------------------------------------------------------------

    async def _listen(self):
        try:
            while True:
                got = await self._read_frame()
                self.received.append(got)
                if got.opcode == PING and self.answers_pings:
                    await self.send(frame(PONG, got.payload))
                elif got.opcode == CLOSE and self.answers_close:
                    await self.send(frame(CLOSE, got.payload[:2]))
                    self.client_ended = True
                    self.writer.close()
                    return
        except (asyncio.IncompleteReadError, OSError, ssl.SSLError):
            self.client_ended = True
            self.writer.close()

    async def _read_frame(self):
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack(">H", await self.reader.readexactly(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", await self.reader.readexactly(8))[0]
        mask = await self.reader.readexactly(4) if second & 0x80 else None
        payload = await self.reader.readexactly(length)
        payload = unmask(payload, mask) if mask else payload
        return ClientFrame(first & 15, bool(first & 0x80), first >> 4 & 7, mask, payload)


# -- Scripts that several tests use ---------------------------------------------------------------------------


def serve(limit=None, then=None):
    """Serves `limit` messages, and then runs `then(connection)` or drops the connection."""

    async def script(connection):
        await connection.serve(limit)
        if then is not None:
            await then(connection)

    return script


def sent_in(order):
    """Returns a script that sends these events in this order on one connection, and then nothing."""

    async def script(connection):
        await connection.upgrade()
        for event in order:
            await connection.message(event.frame)
        await connection.until_client_ends()

    return script


def refuse(status, reason="", headers=(), body=""):
    async def script(connection):
        await connection.answer(status, reason, headers, body)

    return script


async def accept_then_close(connection):
    """Accepts the TCP connection, and ends it at once."""


async def upgrade_then_close(connection):
    """Opens the WebSocket, and ends the connection at once, without a close frame."""
    await connection.upgrade()


async def silence(connection):
    """Opens the WebSocket, and sends nothing, not even pongs."""
    connection.answers_pings = False
    await connection.upgrade()
    await connection.until_client_ends()


async def idle(connection):
    """Opens the WebSocket, and only answers pings."""
    await connection.upgrade()
    await connection.until_client_ends()


# -- The relay ------------------------------------------------------------------------------------------------


class Relay:
    """With `inclusive`, cursor N begins at seq >= N (specification, rainbow) instead of seq > N (relay, PDS)."""

    def __init__(self, events=(), *, certificate=None, host="127.0.0.1", name=None, inclusive=False, tls_options=None):
        self.log = list(events)
        self.host, self.name = host, name or host
        self.port = free_port(host)
        self.inclusive = inclusive
        self.tls = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate.cert, certificate.key)
            if tls_options:
                tls_options(self.tls)
        self.connections = []  # all accepted connections, past and present; with TLS, those whose handshake succeeded
        self.tcp_accepts = 0
        self.default = serve()
        self.scripts = []  # one for each of the next connections
        self.errors = []  # exceptions of scripts: faults of the test
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda loop, context: None)  # handshakes may fail in tests
        self._grown = None
        self._server = None
        self._tasks = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"relay:{self.port}", daemon=True)
        self._thread.start()

    # -- Life ----------------------------------------------------------------------------------------------

    @property
    def authority(self):
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"

    @property
    def url(self):
        return f"{'wss' if self.tls else 'ws'}://{self.authority}"

    def start(self):
        """Begins to listen, also after stop()."""
        self._call(self._start())
        return self

    async def _start(self):
        self._grown = self._grown or asyncio.Event()
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.host, self.port))
        self._server = await asyncio.start_server(self._on_connection, sock=sock, ssl=self.tls, limit=1 << 20)

    def stop(self):
        """Nobody listens any more, and all connections are reset."""
        self._call(self._stop())

    async def _stop(self):
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self.connections:
            if not connection.closed:
                connection.reset()
        for task in list(self._tasks):
            task.cancel()

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close() if not self._loop.is_running() else None

    def run(self, coroutine):
        """Runs a coroutine in the relay's event loop."""
        return self._call(coroutine)

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    # -- Its events ------------------------------------------------------------------------------------------

    def append(self, events):
        """Stores new events, and sends them to the connected clients."""

        async def grow():
            self.log.extend(events)
            self._grown.set()
            self._grown = asyncio.Event()

        self._call(grow())

    def position_of(self, cursor):
        """Returns where in the log a client with this cursor begins: None is the end (live), 0 the oldest event."""
        if cursor is None:
            return len(self.log)
        if cursor == 0:
            return 0
        for i, event in enumerate(self.log):
            if event.seq is not None and (event.seq >= cursor if self.inclusive else event.seq > cursor):
                return i
        return len(self.log)

    async def wait_for_event(self, position):
        while position >= len(self.log):
            await self._grown.wait()

    # -- Connections -----------------------------------------------------------------------------------------

    def script(self, *scripts):
        """Sets one script for each of the next connections. `default` serves those after them."""
        self.scripts.extend(scripts)

    def scripts_are_done(self):
        return not self.scripts

    def on_current(self, action):
        """Calls action(connection), a coroutine or a plain function, with the newest connection."""

        async def run():
            result = action(self.connections[-1])
            if asyncio.iscoroutine(result):
                await result

        self._call(run())

    def drop_all(self):
        async def run():
            for connection in self.connections:
                if not connection.closed:
                    connection.reset()

        self._call(run())

    def upgraded(self):
        return [c for c in self.connections if c.upgraded]

    def wait_connections(self, count):
        """Waits until `count` connections have sent their request, and returns the last of them."""
        wait_for(
            lambda: len(self.connections) >= count and self.connections[count - 1].head is not None,
            lambda: f"connection {count} to the relay (there were {len(self.connections)})",
        )
        return self.connections[count - 1]

    def wait_upgraded(self, count):
        wait_for(
            lambda: len(self.upgraded()) >= count,
            lambda: f"WebSocket {count} (there were {len(self.upgraded())})",
        )
        return self.upgraded()[count - 1]

    async def _on_connection(self, reader, writer):
        connection = Connection(self, len(self.connections), reader, writer)
        self.connections.append(connection)
        self._tasks.add(asyncio.current_task())
        script = self.scripts.pop(0) if self.scripts else self.default
        serving = asyncio.ensure_future(script(connection))
        try:
            await self._run(connection, serving)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError, ssl.SSLError, RuntimeError):
            pass
        except Exception:
            self.errors.append(traceback.format_exc())
        finally:
            serving.cancel()
            if connection.listener is not None:
                connection.listener.cancel()
            connection.closed = True
            writer.close()
            self._tasks.discard(asyncio.current_task())

    @staticmethod
    async def _run(connection, serving):
        """Runs the script until it returns or the client has gone."""
        while not serving.done():
            waiting = {serving} | ({connection.listener} if connection.listener else set())
            done, _ = await asyncio.wait(waiting, timeout=0.05 if connection.listener is None else None,
                                         return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            if connection.listener in done and not serving.done():
                await asyncio.wait({serving}, timeout=1)
                return
        await serving

    def tail(self):
        """Returns a description for the report of a failed test."""
        lines = [f"relay {self.url}: {len(self.log)} events, {len(self.connections)} connections"]
        for c in self.connections[-12:]:
            request = re.sub(r"[\r\n].*", "", c.head or "no request", flags=re.S)
            state = "closed" if c.closed else "open"
            opcodes = " ".join(str(f.opcode) for f in c.received[-10:])
            lines.append(f"  #{c.number} {state}: {request!r} sent {c.sent}, got opcodes [{opcodes}]")
        return "\n".join(lines + self.errors)
