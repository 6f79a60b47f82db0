"""A hostile relay. It does everything that RFC 6455 §4–7 and the protocol of the firehose forbid, on one connection
each, and then repeatedly. firehosed must log what happened and answer correctly. No event is lost or doubled, and no
memory leaks. test_relay.py tests correct relays and ordinary failures."""

import asyncio
import re
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

import events
import frames
import relay as ws
import stream
from firehosed import is_sanitized
from ports import free_port
from processes import Process, resident_bytes
from raw_server import RawServer
from waiting import wait_for

CONNECTED = r"Connected to firehose successfully"
SERVED = 2  # events that each connection gets before it goes bad
MAX_MESSAGE = 64 * 1024
# firehosed connects again at once, after any number of failures.
FAST = {"relay_backoff": "10ms", "relay_backoff_max": "10ms", "relay_max_message": MAX_MESSAGE}
EVENT = frames.identity(7, "did:plc:x")
BIG = b"x" * 60_000


@dataclass(frozen=True)
class Case:
    """Bytes that a relay sends, or a script; the text that the log must have; and the close code of the answer."""

    act: object
    said: str
    code: int = None

    async def run(self, connection):
        if callable(self.act):
            await self.act(connection)
        else:
            await connection.serve(SERVED)
            await connection.send(self.act)
            await connection.until_client_ends()


def frame(opcode, payload=b"", **options):
    return ws.frame(opcode, payload, **options)


def close(code, reason=b""):
    return frame(ws.CLOSE, struct.pack(">H", code) + reason)


def header(first, length_byte, extended=b""):
    return bytes([first, length_byte]) + extended


# -- §5: frames -------------------------------------------------------------------------------------------------


async def endless_fragments(connection):
    """Sends fragments of some size, but never the last one. The limit must count all of them. The relay may miss the
    close frame: a process that closes a connection with unread bytes resets it, and the reset may overtake the
    frame."""
    await connection.serve(SERVED)
    await connection.send(frame(ws.BINARY, b"x" * 1000, fin=False))
    while not connection.client_ended:
        await connection.send(frame(ws.CONTINUATION, b"x" * 1000, fin=False))
        await asyncio.sleep(0)


FRAMES = {
    **{f"reserved_bits_{bits}": Case(frame(ws.BINARY, EVENT, rsv=bits), rf"reserved bits 0x{bits << 4:02x}", 1002) for bits in range(1, 8)},
    **{f"opcode_{op:x}": Case(frame(op, b"?"), rf"unknown opcode 0x{op:x}", 1002) for op in [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF]},
    "reserved_bits_on_a_control_frame": Case(frame(ws.PING, b"", rsv=1), "reserved bits", 1002),
    "masked_message": Case(frame(ws.BINARY, EVENT, mask=b"mask"), "masked frame", 1002),
    "masked_with_a_zero_key": Case(frame(ws.BINARY, EVENT, mask=b"\0\0\0\0"), "masked frame", 1002),
    "masked_ping": Case(frame(ws.PING, b"hi", mask=b"mask"), "masked frame", 1002),
    "masked_close": Case(frame(ws.CLOSE, b"\3\xe8", mask=b"mask"), "masked frame", 1002),
    "text": Case(frame(ws.TEXT, b"hello"), "text message", 1003),
    "empty_text": Case(frame(ws.TEXT, b""), "text message", 1003),
    "text_that_is_not_utf8": Case(frame(ws.TEXT, b"\xff\xfe"), "not UTF-8", 1007),
    "text_in_fragments": Case(frame(ws.TEXT, b"hel", fin=False) + frame(ws.CONTINUATION, b"lo"), "text message", 1003),
    "fragmented_ping": Case(frame(ws.PING, b"a", fin=False), "fragmented control", 1002),
    "fragmented_pong": Case(frame(ws.PONG, b"a", fin=False), "fragmented control", 1002),
    "fragmented_close": Case(frame(ws.CLOSE, b"\3\xe8", fin=False), "fragmented control", 1002),
    "long_ping": Case(frame(ws.PING, b"a" * 126), "control frame of more than 125", 1002),
    "long_pong": Case(frame(ws.PONG, b"a" * 70_000), "control frame of more than 125", 1002),
    "long_close": Case(frame(ws.CLOSE, b"\3\xe8" + b"a" * 124), "control frame of more than 125", 1002),
    "ping_of_a_length_of_64_bits": Case(header(0x89, 127, b"\x7f" + b"\xff" * 7), "control frame of more than 125", 1002),
    "continuation_of_nothing": Case(frame(ws.CONTINUATION, b"x"), "continuation without", 1002),
    "continuation_not_last_of_nothing": Case(frame(ws.CONTINUATION, b"x", fin=False), "continuation without", 1002),
    "continuation_behind_a_whole_message": Case(
        frame(ws.BINARY, b"a", fin=False) + frame(ws.CONTINUATION, b"b", fin=False) + frame(ws.PING, b"!")
        + frame(ws.TEXT, b"x"), "new message inside", 1002),
    "message_in_a_message": Case(frame(ws.BINARY, b"a", fin=False) + frame(ws.BINARY, EVENT), "new message inside", 1002),
    "too_big": Case(frame(ws.BINARY, b"", length=MAX_MESSAGE + 1), "more than the limit", 1009),
    "too_big_by_far": Case(header(0x82, 127, struct.pack(">Q", 1 << 62)), "more than the limit", 1009),
    "too_big_in_fragments": Case(frame(ws.BINARY, BIG, fin=False) + frame(ws.CONTINUATION, BIG), "more than the limit", 1009),
    "last_fragment_too_big": Case(frame(ws.BINARY, b"x", fin=False) + header(0x80, 127, struct.pack(">Q", MAX_MESSAGE)),
                                  "more than the limit", 1009),
    "lengths_that_overflow_together": Case(
        frame(ws.BINARY, b"x" * 100, fin=False) + header(0x80, 127, b"\x7f" + b"\xff" * 7), "more than the limit", 1009),
    "length_with_the_top_bit": Case(header(0x82, 127, b"\x80" + b"\0" * 7), "more than 63 bits", 1002),
    "length_all_ones": Case(header(0x82, 127, b"\xff" * 8), "more than 63 bits", 1002),
    "length_of_16_bits_for_none": Case(header(0x82, 126, b"\0\0"), "more bytes than it needs", 1002),
    "length_of_16_bits_for_7": Case(header(0x82, 126, b"\0\x7d") + b"x" * 125, "more bytes than it needs", 1002),
    "length_of_64_bits_for_16": Case(header(0x82, 127, b"\0" * 6 + b"\xff\xff"), "more bytes than it needs", 1002),
    "fragments_without_end": Case(endless_fragments, "more than the limit"),
}  # fmt: skip


# -- §7: closing ------------------------------------------------------------------------------------------------


async def events_behind_the_close(connection):
    """firehosed ignores events after a close frame. It gets them again from the next connection."""
    await connection.serve(SERVED)
    position = connection.relay.position_of(connection.cursor) + SERVED
    rest = b"".join(frame(ws.BINARY, e.frame) for e in connection.relay.log[position : position + 5])
    await connection.send(close(1001, b"bye") + rest)
    await connection.until_client_ends()


VALID_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
INVALID_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]

CLOSES = {
    **{f"code_{code}": Case(close(code, b"a reason"), rf"closed by the relay \(code {code}: a reason\)", code) for code in VALID_CODES},
    **{f"code_{code}": Case(close(code), rf"code {code}, which may not be sent", 1002) for code in INVALID_CODES},
    "no_code": Case(frame(ws.CLOSE), r"closed by the relay", 1000),
    "half_a_code": Case(frame(ws.CLOSE, b"\3"), "half a code", 1002),
    "reason_that_is_not_utf8": Case(close(1000, b"\xc3\x28"), "reason that is not UTF-8", 1007),
    "reason_cut_within_a_letter": Case(close(1000, "é".encode()[:1]), "reason that is not UTF-8", 1007),
    "reason_that_forges_a_line": Case(close(1000, b"x\n2025-01-01T00:00:00.000Z error master[1]: forged"), r"x\?2025", 1000),
    "reason_with_a_format": Case(close(1000, b"%s%n%s%n"), "%s%n%s%n", 1000),
    "longest_reason": Case(close(1000, b"r" * 123), "r" * 123, 1000),
    "twice": Case(close(1000) + close(1001), "code 1000", 1000),
    "in_a_message": Case(frame(ws.BINARY, b"a", fin=False) + close(1000), "code 1000", 1000),
    "events_behind_it": Case(events_behind_the_close, "code 1001: bye", 1001),
}  # fmt: skip


# -- §4: the answer to the upgrade ------------------------------------------------------------------------------


def answer(*lines, end=b"\r\n\r\n", status="HTTP/1.1 101 Switching Protocols", key=True, tail=b"", wait=True):
    """Answers with these lines, and by default with the right key."""

    async def script(connection):
        await connection.read_request()
        head = [status, *lines] + ([f"Sec-WebSocket-Accept: {connection.accept_key()}"] if key else [])
        await connection.send("\r\n".join(head).encode("latin-1") + end + tail)
        if wait:
            await connection.until_client_ends()

    return script


UPGRADE, CONNECTION = "Upgrade: websocket", "Connection: Upgrade"


async def gigantic_header(connection):
    await connection.read_request()
    await connection.send(b"HTTP/1.1 101 Ok\r\nX-Filler: " + b"x" * 1_000_000 + b"\r\n\r\n")
    await connection.until_client_ends()


async def many_headers(connection):
    await connection.read_request()
    await connection.send(b"HTTP/1.1 101 Ok\r\n" + b"X: y\r\n" * 100_000 + b"\r\n")
    await connection.until_client_ends()


async def head_without_end(connection):
    await connection.read_request()
    while not connection.closed:
        await connection.send(b"HTTP/1.1 101 Ok\r\nX-Filler: " + b"x" * 900 if connection.sent == 0 else b"x" * 900)
        connection.sent = 1
        await asyncio.sleep(0)


async def interim_answers_without_end(connection):
    await connection.read_request()
    while not connection.closed:
        await connection.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 40)
        await asyncio.sleep(0)


async def end_within_the_head(connection):
    await connection.read_request()
    await connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso")


async def tls_alert(connection):
    await connection.read_request()
    await connection.send(b"\x15\x03\x01\x00\x02\x02\x46")
    await connection.until_client_ends()


OPENINGS = {
    "status_200": Case(ws.refuse(200, "OK", body="<html>hello"), "HTTP 200 OK instead of an upgrade"),
    "status_301": Case(ws.refuse(301, "Moved Permanently", ["Location: wss://evil.example/"]), r"HTTP 301 .*redirected to wss://evil\.example/ \(not followed\)"),
    "status_302_without_a_place": Case(ws.refuse(302, "Found"), "HTTP 302 Found"),
    "status_307": Case(ws.refuse(307, "Temporary Redirect", ["Location: file:///etc/passwd"]), r"redirected to file:///etc/passwd \(not followed\)"),
    "status_401": Case(ws.refuse(401, "Unauthorized"), "HTTP 401"),
    "status_426": Case(ws.refuse(426, "Upgrade Required"), "HTTP 426"),
    "status_500_with_colours": Case(ws.refuse(500, "Oops", body="\x1b[31mred\x07\x1b]0;title\x07"), r"HTTP 500 Oops: [^\x1b\x07]*$"),
    "no_accept_key": Case(answer(UPGRADE, CONNECTION, key=False), "no Sec-WebSocket-Accept"),
    "two_accept_keys": Case(answer(UPGRADE, CONNECTION, "Sec-WebSocket-Accept: x"), "more than one"),
    "wrong_accept_key": Case(answer(UPGRADE, CONNECTION, "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=", key=False), "wrong Sec-WebSocket-Accept"),
    "empty_accept_key": Case(answer(UPGRADE, CONNECTION, "Sec-WebSocket-Accept:", key=False), "Sec-WebSocket-Accept"),
    "no_upgrade": Case(answer(CONNECTION), "no 'Upgrade: websocket'"),
    "upgrade_to_something_else": Case(answer("Upgrade: h2c", CONNECTION), "no 'Upgrade: websocket'"),
    "no_connection": Case(answer(UPGRADE), "no 'Connection: Upgrade'"),
    "http_1_0": Case(answer(UPGRADE, CONNECTION, status="HTTP/1.0 101 Ok"), "HTTP/1.0"),
    "compression": Case(answer(UPGRADE, CONNECTION, "Sec-WebSocket-Extensions: permessage-deflate"), "extension that was not asked for"),
    "empty_extensions": Case(answer(UPGRADE, CONNECTION, "Sec-WebSocket-Extensions:"), "extension that was not asked for"),
    "subprotocol": Case(answer(UPGRADE, CONNECTION, "Sec-WebSocket-Protocol: soap"), "subprotocol that was not asked for"),
    "no_status": Case(answer(UPGRADE, CONNECTION, status="HTTP/1.1 "), "not an HTTP status line"),
    "status_of_letters": Case(answer(UPGRADE, CONNECTION, status="HTTP/1.1 abc"), "not an HTTP status line"),
    "not_http": Case(answer(status="SSH-2.0-OpenSSH_9.2", key=False), "not HTTP"),
    "tls_where_none_is_spoken": Case(tls_alert, "should begin with wss://"),
    "bare_line_feeds": Case(answer(UPGRADE, CONNECTION, end=b"\n\n"), "bare LF"),
    "nul_in_the_head": Case(answer(UPGRADE, "X: a\0b", CONNECTION), "control character 0x00"),
    "folded_line": Case(answer(UPGRADE, " folded", CONNECTION), "folded header"),
    "no_colon": Case(answer(UPGRADE, CONNECTION, "nonsense"), "'nonsense' is not a header line"),
    "gigantic_header": Case(gigantic_header, "a head of more than 16384 bytes"),
    "very_many_headers": Case(many_headers, "a head of more than 16384 bytes"),
    "head_without_end": Case(head_without_end, "a head of more than 16384 bytes"),
    "interim_answers_without_end": Case(interim_answers_without_end, "a head of more than"),
    "end_within_the_head": Case(end_within_the_head, "closed by the relay during"),
    "violation_in_the_same_packet": Case(answer(UPGRADE, CONNECTION, tail=frame(ws.TEXT, b"x")), "text message"),
}  # fmt: skip

FAMILIES = {"frames": FRAMES, "closes": CLOSES, "openings": OPENINGS}


# -- The tests --------------------------------------------------------------------------------------------------


def complaints(daemon):
    return daemon.log_lines(r"relay .*next attempt in")


@pytest.mark.parametrize("family", FAMILIES)
def test_each_is_named_in_the_log_answered_rightly_and_costs_nothing(lab, family):
    cases = FAMILIES[family]
    relay = lab.relay(events.make(SERVED * len(cases) + 50))
    relay.script(*(case.run for case in cases.values()))
    s = lab.system(relay=relay, **FAST)
    relay.wait_connections(len(cases) + 1)
    s.assert_all(strict=True)
    lines = complaints(s.daemon)
    assert len(lines) == len(cases), "\n".join(lines)
    for (name, case), line, connection in zip(cases.items(), lines, relay.connections):
        assert re.search(case.said, line), f"{name}: {line}"
        assert " warn " in line
        if case.code is not None:
            codes = [f.close_code for f in connection.frames(ws.CLOSE)]
            assert codes == [case.code] or (case.code == 1000 and codes == [1000]), f"{name}: answered with {codes}"
        assert all(f.mask is not None for f in connection.received), name
    assert len({c.cursor for c in relay.connections}) > 1 or family == "openings"
    assert "forged" not in "".join(line for line in s.daemon.log().splitlines() if line.startswith("2025-01-01"))


def allocated_bytes(pid):
    """Returns the private memory of the process. The ring has a fixed size, and the share of the program and its
    libraries depends on how many other processes run them."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.M)[1]) * 1024


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer keeps what was freed")
def test_memory_does_not_grow_over_hundreds_of_bad_connections(lab):
    cases = [case for family in FAMILIES.values() for case in family.values()]
    relay = lab.relay(events.make(10))
    s = lab.system(relay=relay, log_level="error", ring_size="256K", **FAST)  # a small ring is soon full
    s.assert_all()
    pids = [s.daemon.master_pid(), *s.daemon.wait_workers(2)]

    def a_round(rounds):
        first = len(relay.connections)
        relay.script(*[case.run for case in cases] * rounds)
        relay.drop_all()
        relay.wait_connections(first + 1)
        relay.append(events.make(SERVED * len(cases) * rounds, events.after(relay.log)))
        relay.wait_connections(first + len(cases) * rounds)
        wait_for(relay.scripts_are_done, "all scripts", 120)
        s.wait_delivered(60)
        return sum(allocated_bytes(pid) for pid in pids)

    a_round(1)  # buffers grow to the size that they need
    before = a_round(3)
    after = a_round(4)
    assert after - before < 512 * 1024, f"{before} bytes, after {4 * len(cases)} bad connections {after}"
    s.assert_all(strict=False)


def test_pings_that_nobody_reads_the_answers_to_take_no_memory(lab):
    """A relay may send pings faster than it reads. RFC 6455 §5.5.3 allows a client to answer only the newest ping."""
    relay = lab.relay(events.make(20))
    sent = []

    async def flood(connection):
        await connection.upgrade()
        connection.listener.cancel()
        connection.listener = None
        connection.writer.transport.pause_reading()
        ping = frame(ws.PING, b"p" * 125) * 500
        while len(sent) < 800:  # 50 MB
            await connection.send(ping)
            sent.append(len(ping))

    relay.script(flood)
    s = lab.system(relay=relay)
    wait_for(lambda: len(sent) == 800, "the flood", 60)
    if not is_sanitized():
        assert resident_bytes(s.daemon.master_pid()) < 40 << 20
    s.assert_all()


def test_flood_of_pings_is_answered_and_keeps_nobody_from_work(lab):
    relay = lab.relay(events.make(500))

    async def flood(connection):
        await connection.upgrade()
        for event in relay.log:
            await connection.send(frame(ws.PING, b"%d" % event.seq) * 20 + frame(ws.BINARY, event.frame))
        await connection.until_client_ends()

    relay.script(flood)
    s = lab.system(relay=relay)
    s.assert_all()
    assert len(relay.connections) == 1
    assert relay.connections[0].wait_frame(ws.PONG).payload == b"%d" % relay.log[0].seq


def test_flood_of_pongs_that_nobody_asked_for_is_passed_over(lab):
    relay = lab.relay(events.make(50))

    async def flood(connection):
        await connection.upgrade()
        for event in relay.log:
            await connection.send(frame(ws.PONG, b"x" * 125) * 100 + frame(ws.BINARY, event.frame))
        await connection.until_client_ends()

    relay.script(flood)
    s = lab.system(relay=relay)
    s.assert_all()
    assert len(relay.connections) == 1


@pytest.mark.parametrize("kind", ["empty fragments", "pings in a message", "one byte now and then"])
def test_message_that_never_ends_is_given_up(lab, kind):
    """Bytes keep coming, so the connection looks alive, and the limit of a message is never reached."""
    relay = lab.relay(events.make(20))

    async def never_ends(connection):
        await connection.serve(10)
        await connection.send(frame(ws.BINARY, b"begin", fin=False))
        step = frame(ws.CONTINUATION, b"", fin=False) if kind == "empty fragments" else frame(ws.PING, b"x")
        if kind == "one byte now and then":
            await connection.send(header(0x00, 126, b"\x40\x00"))
            step = b"x"
        while not connection.client_ended:
            await connection.send(step)
            await asyncio.sleep(0.02)

    relay.script(never_ends)
    s = lab.system(relay=relay, relay_ping_interval="300ms", relay_idle_timeout="900ms")
    s.daemon.wait_log(r"warn .*relay .*a message has not ended within relay_idle_timeout")
    s.assert_all()


def test_large_message_on_a_slow_line_is_not_given_up(lab):
    """The counterpart of the test above: each message ends within the time-out, so firehosed keeps the connection."""
    relay = lab.relay(events.make(12, text="x" * 2000))

    async def slow(connection):
        await connection.upgrade()
        for event in relay.log:
            data = frame(ws.BINARY, event.frame)
            for at in range(0, len(data), 300):
                await connection.send(data[at : at + 300])
                await asyncio.sleep(0.02)
        await connection.until_client_ends()

    relay.script(slow)
    s = lab.system(relay=relay, relay_ping_interval="300ms", relay_idle_timeout="1500ms")
    s.assert_all()
    assert len(relay.connections) == 1


def test_slow_loris_is_given_up_within_the_connect_timeout(lab):
    relay = lab.relay(events.make(10))

    async def loris(connection):
        await connection.read_request()
        for byte in b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" + b"X: y\r\n" * 1000:
            await connection.send(bytes([byte]))
            await asyncio.sleep(0.05)

    relay.script(loris)
    s = lab.system(relay=relay, relay_connect_timeout="500ms")
    s.daemon.wait_log(r"warn .*the WebSocket upgrade took longer than relay_connect_timeout")
    s.assert_all()


def test_everything_in_single_bytes_arrives_with_tls_as_well(lab):
    relay = lab.relay(events.make(4), certificate=lab.certificates.good, name="localhost")

    async def slow(connection):
        await connection.read_request()
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
               f"Sec-WebSocket-Accept: {connection.accept_key()}\r\n\r\n"  # fmt: skip
        data = head.encode() + b"".join(frame(ws.BINARY, e.frame) for e in relay.log)
        await connection.send_slowly(data)  # each byte is a TLS record
        await connection.until_client_ends()

    relay.script(slow)
    s = lab.system(relay=relay)
    s.assert_all()
    assert len(relay.connections) == 1


# -- TLS --------------------------------------------------------------------------------------------------------


class OpensslServer:
    """`openssl s_server`. Unlike Python's asyncio, it says why it refuses a handshake."""

    def __init__(self, lab, *options):
        c, self.port = lab.certificates.good, free_port()
        self.process = Process(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", c.cert, "-key", c.key, "-quiet",
             "-cipher", "ALL:@SECLEVEL=0", *options]  # fmt: skip
        )
        lab.parts.append(self)

    def close(self):
        self.process.kill_all()


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_tls_that_is_too_old_is_refused(lab, version):
    server = OpensslServer(lab, version)
    s = lab.system(start=False, relay_ca_file=lab.certificates.ca_file)
    s.daemon.write_config(relay=f"wss://localhost:{server.port}")
    s.daemon.start()
    s.daemon.wait_log(r"warn .*TLS handshake: .*(protocol|version)")
    assert s.daemon.log_lines(CONNECTED) == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name)
def test_tls_of_today_is_spoken(lab, version):
    def only(context):
        context.minimum_version = context.maximum_version = version

    s = lab.system(events.make(50), relay_options={
        "certificate": lab.certificates.good, "name": "localhost", "tls_options": only})  # fmt: skip
    s.assert_all()


async def garbage_in_the_handshake(reader, writer):
    await reader.read(1000)
    writer.write(b"\x16\x03\x03\x40\x00" + b"\xff" * 16384)
    await writer.drain()


async def nothing_in_the_handshake(reader, writer):
    await reader.read(1000)
    await asyncio.sleep(60)


async def drip_in_the_handshake(reader, writer):
    await reader.read(1000)
    for byte in b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + b"\x00" * 400:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def plain_websocket(reader, writer):
    await reader.read(1000)
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        (garbage_in_the_handshake, "TLS handshake: "),
        (nothing_in_the_handshake, "TLS handshake took longer than relay_connect_timeout"),
        (drip_in_the_handshake, "TLS handshake took longer than relay_connect_timeout"),
        (plain_websocket, "TLS handshake: .*does not speak TLS"),
    ],
)
def test_bad_handshake_is_named_and_tried_again(lab, talk, said):
    relay = lab.relay()
    raw = RawServer(relay.run, talk)
    # A file with one authority: a sanitized build needs longer than this time-out to read those of the system.
    s = lab.system(relay=relay, start=False, relay_ca_file=lab.certificates.ca_file)
    s.daemon.write_config(relay=f"wss://127.0.0.1:{raw.port}", relay_connect_timeout="400ms")
    s.daemon.start()
    s.daemon.wait_log(rf"warn .*{said}", 2)
    assert s.daemon.log_lines(CONNECTED) == []


# -- The protocol of the firehose --------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\xa0\xa0", b"\xa1bop", frames.cbor({"op": -1, "t": "#commit"})])
def test_nonsense_messages_by_the_hundred_keep_nobody_from_work(lab, payload):
    relay = lab.relay(events.make(50))

    async def script(connection):
        await connection.upgrade()
        for event in relay.log:
            await connection.send(frame(ws.BINARY, payload) * 5 + frame(ws.BINARY, event.frame))
        await connection.until_client_ends()

    relay.script(script)
    s = lab.system(relay=relay, **FAST)
    stream.wait_seqs(s.db, relay.log)
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, relay.log)
    assert len(s.daemon.log().splitlines()) < 200
