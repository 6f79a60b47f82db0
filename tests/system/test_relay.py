"""The connection to the relay: the upgrade, TLS, the client's side of RFC 6455, liveness, reconnecting at the
cursor."""

import asyncio
import base64
import re
import struct
import time

import pytest

import events
import frames
import relay as ws
import stream
from waiting import hold_for, wait_for

CONNECTED = r"Connected to firehose successfully"


# -- Opening ----------------------------------------------------------------------------------------------------


def test_request_is_a_websocket_upgrade_as_rfc_6455_wants_it(lab):
    s = lab.system(events.make(1))
    c = s.relay.wait_upgraded(1)
    assert c.head.startswith("GET ")
    assert c.head.split("\r\n")[0].endswith(" HTTP/1.1")
    assert c.headers["host"] == s.relay.authority
    assert c.headers["upgrade"].lower() == "websocket"
    assert "upgrade" in c.headers["connection"].lower()
    assert c.headers["sec-websocket-version"] == "13"
    assert len(base64.b64decode(c.headers["sec-websocket-key"])) == 16
    assert c.headers["user-agent"].startswith("firehosed/")
    assert "sec-websocket-extensions" not in c.headers


def test_each_connection_has_a_key_of_its_own(lab):
    s = lab.system()
    s.relay.wait_upgraded(1)
    s.relay.drop_all()
    s.relay.wait_upgraded(2)
    first, second = (c.headers["sec-websocket-key"] for c in s.relay.upgraded()[:2])
    assert first != second


@pytest.mark.parametrize("path", ["", "/", ws.XRPC_PATH])
def test_path_of_the_method_is_added_where_there_is_none(lab, path):
    relay = lab.relay(events.make(20))
    s = lab.system(relay=relay, start=False)
    s.daemon.write_config(relay=relay.url + path)
    s.daemon.start()
    assert relay.wait_connections(1).path == ws.XRPC_PATH
    s.assert_all()


def test_ipv6_address_works(lab):
    s = lab.system(events.make(20), relay_options={"host": "::1"})
    s.assert_all()
    assert s.relay.connections[0].headers["host"] == s.relay.authority


def test_name_is_resolved_and_every_address_tried(lab):
    """localhost may resolve to ::1 first, where no relay listens."""
    s = lab.system(events.make(20), relay_options={"name": "localhost"})
    s.assert_all()


def test_name_that_does_not_resolve_is_said_and_retried(lab):
    s = lab.system(start=False)
    s.daemon.write_config(relay="ws://no-such-host.invalid")
    s.daemon.start()
    s.daemon.wait_log(r"(warn|error) .*no-such-host\.invalid")
    assert s.daemon.status()["relay"]["connected"] is False


def test_relay_absent_at_start_is_waited_out(lab):
    relay = lab.relay(events.make(50), start=False)
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"(warn|error) .*(refused|connect)")
    assert s.daemon.status()["relay"]["connected"] is False
    relay.start()
    s.assert_all()


def test_relay_that_never_answers_the_upgrade_is_given_up(lab):
    relay = lab.relay(events.make(10))

    async def no_answer(connection):
        await connection.read_request()
        await connection.until_client_ends()

    relay.script(no_answer)
    s = lab.system(relay=relay, relay_connect_timeout="300ms")
    s.daemon.wait_log(r"(warn|error) .*(tim|answer)")
    s.assert_all()


def test_answer_in_single_bytes_is_read(lab):
    relay = lab.relay(events.make(10))

    async def slow(connection):
        await connection.read_request()
        head = f"HTTP/1.1 101 Ok\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n" \
               f"sec-websocket-accept: {connection.accept_key()}\r\n\r\n"  # fmt: skip
        await connection.send_slowly(head.encode() + b"".join(ws.frame(ws.BINARY, e.frame) for e in relay.log[:3]))
        await connection.until_client_ends()

    relay.script(slow)
    s = lab.system(relay=relay)
    s.wait_length(1)
    stream.wait_seqs(s.db, relay.log[:3])
    assert len(relay.connections) == 1


def test_events_in_the_same_packet_as_the_answer_are_not_lost(lab):
    relay = lab.relay(events.make(50))

    async def at_once(connection):
        await connection.read_request()
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
               f"Sec-WebSocket-Accept: {connection.accept_key()}\r\n\r\n"  # fmt: skip
        await connection.send(head.encode() + b"".join(ws.frame(ws.BINARY, e.frame) for e in relay.log))
        connection.upgraded = True
        await connection.until_client_ends()

    relay.script(at_once)
    s = lab.system(relay=relay)
    s.assert_all()
    assert len(relay.connections) == 1


# -- Answers that are no upgrade -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason"), [(503, "Service Unavailable"), (200, "OK"), (404, "Not Found"), (301, "Moved Permanently")]
)
def test_http_answer_instead_of_the_upgrade_is_reported_and_retried(lab, status, reason):
    relay = lab.relay(events.make(10))
    relay.script(ws.refuse(status, reason, ["Location: http://127.0.0.1:9/"], "go away"))
    s = lab.system(relay=relay)
    s.daemon.wait_log(rf"(warn|error) .*HTTP {status} {reason}")
    s.assert_all()
    assert relay.scripts_are_done()
    assert len(s.daemon.log_lines(CONNECTED)) == 1


def test_429_with_retry_after_is_obeyed(lab):
    relay = lab.relay(events.make(10))
    times = []

    async def refuse(connection):
        times.append(time.monotonic())
        await connection.answer(429, "Too Many Requests", ["Retry-After: 3"])

    async def serve(connection):
        times.append(time.monotonic())
        await connection.serve()

    relay.script(refuse, serve)
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"(warn|error) .*HTTP 429 Too Many Requests.*3 s")
    relay.wait_connections(2)
    assert times[1] - times[0] > 2  # without Retry-After the first wait is about 1 s
    s.assert_all()


def test_relay_cannot_ask_for_a_pause_of_a_day(lab):
    relay = lab.relay(events.make(10))
    relay.script(ws.refuse(503, "Service Unavailable", ["Retry-After: 86400"]))
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"warn .*HTTP 503 Service Unavailable.*86400 s.*; next attempt in 300\.0 s")


def test_wrong_accept_key_is_no_connection(lab):
    relay = lab.relay(events.make(10))

    async def wrong(connection):
        await connection.upgrade(accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        await connection.until_client_ends()

    relay.script(wrong)
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"(warn|error) .*[Aa]ccept")
    s.assert_all()
    assert len(s.daemon.log_lines(CONNECTED)) == 1


def test_compression_that_was_not_asked_for_is_no_connection(lab):
    relay = lab.relay(events.make(10))

    async def compressed(connection):
        await connection.upgrade(extra=["Sec-WebSocket-Extensions: permessage-deflate"])
        await connection.until_client_ends()

    relay.script(compressed)
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"(warn|error) .*[Ee]xtension")
    s.assert_all()
    assert len(s.daemon.log_lines(CONNECTED)) == 1


def test_answer_that_is_not_http_is_no_connection(lab):
    relay = lab.relay(events.make(10))

    async def garbage(connection):
        await connection.read_request()
        await connection.send(b"220 mail.example ESMTP\r\n\r\n")
        await connection.until_client_ends()

    relay.script(garbage)
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"(warn|error) .*(HTTP|answer)")
    s.assert_all()


# -- TLS ---------------------------------------------------------------------------------------------------------


def test_wss_with_a_ca_file_works(lab):
    s = lab.system(events.make(500), relay_options={"certificate": lab.certificates.good, "name": "localhost"})
    s.assert_all()


def test_wss_to_an_address_checks_the_address(lab):
    s = lab.system(events.make(20), relay_options={"certificate": lab.certificates.good})
    s.assert_all()


def test_host_name_is_sent_as_sni(lab):
    names = []

    def remember(context):
        context.sni_callback = lambda sock, name, ctx: names.append(name)

    s = lab.system(events.make(5), relay_options={
        "certificate": lab.certificates.good, "name": "localhost", "tls_options": remember})  # fmt: skip
    s.assert_all()
    assert names == ["localhost"]


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("expired", r"expired"),
        ("wrong_host", r"(hostname|host name|IP address) mismatch"),
        ("unknown_ca", r"(unable to get local issuer|self.signed certificate|unable to verify)"),
    ],
)
def test_bad_certificate_is_a_clear_error_and_never_a_connection(lab, which, said):
    certificate = getattr(lab.certificates, which)
    s = lab.system(events.make(10), relay_options={"certificate": certificate, "name": "localhost"})
    s.daemon.wait_log(rf"(warn|error) .*{said}", 1)
    s.daemon.wait_status(lambda st: st["relay"]["connected"] is False, "not to be connected")
    assert s.relay.connections == [] or all(c.head is None for c in s.relay.connections)
    assert s.daemon.log_lines(CONNECTED) == []
    assert s.db.xlen(stream.STREAM) == 0


def test_relay_with_a_renewed_certificate_is_accepted_on_retry(lab):
    relay = lab.relay(events.make(20), certificate=lab.certificates.expired, name="localhost")
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"(warn|error) .*expired")
    relay.tls.load_cert_chain(lab.certificates.good.cert, lab.certificates.good.key)
    s.assert_all()


def test_system_authorities_do_not_vouch_for_a_private_one(lab):
    s = lab.system(events.make(10), relay_options={"certificate": lab.certificates.good, "name": "localhost"},
                   relay_ca_file=None)  # fmt: skip
    s.daemon.wait_log(r"(warn|error) .*certificate")
    assert s.daemon.log_lines(CONNECTED) == []


def test_plain_server_behind_a_wss_url_is_a_clear_error(lab):
    relay = lab.relay(events.make(10))

    async def bad_request(connection):
        await connection.reader.read(100)
        await connection.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    relay.default = bad_request
    s = lab.system(relay=relay, start=False)
    s.daemon.write_config(relay=relay.url.replace("ws:", "wss:"))
    s.daemon.start()
    s.daemon.wait_log(r"(warn|error) .*TLS")
    assert s.daemon.log_lines(CONNECTED) == []


# -- Frames of RFC 6455 ------------------------------------------------------------------------------------------


def scripted(lab, made, script, **settings):
    """Returns a system whose first connection runs the script."""
    relay = lab.relay(made)
    relay.script(script)
    return lab.system(relay=relay, **settings)


def test_fragmented_messages_are_joined(lab):
    made = events.make(30)

    async def script(connection):
        await connection.upgrade()
        for i, event in enumerate(made):
            size = len(event.frame)
            cuts = sorted({1, size // 3, size // 2, size - 1}) if i % 2 else [size // 2]
            await connection.fragments(event.frame, cuts, empty_end=i % 3 == 0)
        await connection.until_client_ends()

    s = scripted(lab, made, script)
    s.assert_all()
    assert len(s.relay.connections) == 1


def test_message_that_ends_with_an_empty_fragment_is_whole(lab):
    """Real relays send large messages so: the whole message with FIN=0, and an empty continuation with FIN=1."""
    made = [events.post(seq, events.repo(seq), "x" * 200_000) for seq in range(1, 6)]

    async def script(connection):
        await connection.upgrade()
        for event in made:
            await connection.fragments(event.frame, [], empty_end=True)
        await connection.until_client_ends()

    s = scripted(lab, made, script)
    s.assert_all()
    assert len(s.relay.connections) == 1


def test_control_frames_between_fragments_are_served_and_leave_the_message_whole(lab):
    made = events.make(30)

    async def script(connection):
        await connection.upgrade()
        for i, event in enumerate(made):
            between = ws.frame(ws.PING, b"between %d" % i) + ws.frame(ws.PONG, b"unasked")
            await connection.fragments(event.frame, [1, len(event.frame) // 2], between)
        await connection.until_client_ends()

    s = scripted(lab, made, script)
    s.assert_all()
    c = s.relay.connections[0]
    c.wait_frame(ws.PONG, 60)
    assert [f.payload for f in c.frames(ws.PONG)] == [b"between %d" % (n // 2) for n in range(60)]
    assert len(s.relay.connections) == 1


def test_messages_in_single_bytes_arrive(lab):
    made = [events.Event(seq, events.repo(seq), frames.account(seq, events.repo(seq))) for seq in range(1, 4)]

    async def script(connection):
        await connection.upgrade()
        for event in made:
            await connection.send_slowly(ws.frame(ws.BINARY, event.frame))
        await connection.until_client_ends()

    s = scripted(lab, made, script)
    s.assert_all()


def test_ping_is_answered_with_the_same_payload(lab):
    payloads = [b"", b"hello", bytes(range(125))]

    async def script(connection):
        await connection.upgrade()
        for payload in payloads:
            await connection.send(ws.frame(ws.PING, payload))
        await connection.serve()

    s = scripted(lab, events.make(20), script)
    c = s.relay.wait_upgraded(1)
    c.wait_frame(ws.PONG, 3)
    assert [f.payload for f in c.frames(ws.PONG)] == payloads
    s.assert_all()


def test_everything_that_the_client_sends_is_masked_with_fresh_keys(lab):
    async def script(connection):
        await connection.upgrade()
        for n in range(20):
            await connection.send(ws.frame(ws.PING, b"%d" % n))
        await connection.serve()

    s = scripted(lab, events.make(20), script)
    c = s.relay.wait_upgraded(1)
    c.wait_frame(ws.PONG, 20)
    s.assert_all()
    s.daemon.stop()
    assert all(f.mask is not None and f.fin and f.rsv == 0 for f in c.received)
    assert len({f.mask for f in c.received}) > 15


def test_close_is_answered_with_the_same_code_and_followed_by_a_new_connection(lab):
    made = events.make(20)

    async def script(connection):
        connection.answers_close = False
        await connection.serve(10)
        await connection.close(1001, "going away")
        await connection.until_client_ends()

    s = scripted(lab, made, script)
    c = s.relay.wait_upgraded(1)
    assert c.wait_frame(ws.CLOSE).close_code == 1001
    s.daemon.wait_log(r"(info|warn) .*1001")
    s.assert_all()
    assert len(s.relay.connections) == 2


def test_close_without_a_code_is_answered(lab):
    async def script(connection):
        connection.answers_close = False
        await connection.serve(10)
        await connection.close(None)
        await connection.until_client_ends()

    s = scripted(lab, events.make(20), script)
    s.relay.wait_upgraded(1).wait_frame(ws.CLOSE)
    s.assert_all()


def test_end_of_the_daemon_is_a_normal_close(lab):
    s = lab.system(events.make(20))
    s.assert_all()
    s.daemon.stop()
    c = s.relay.connections[0]
    assert c.wait_frame(ws.CLOSE).close_code in (1000, 1001)
    assert c.received[-1].opcode == ws.CLOSE


BIG = b"x" * 100_000
NO_SEQ = frames.identity(7, "did:plc:x")
VIOLATIONS = {
    "masked_frame": (ws.frame(ws.BINARY, NO_SEQ, mask=b"mask"), 1002),
    "reserved_bit": (ws.frame(ws.BINARY, NO_SEQ, rsv=4), 1002),
    "unknown_opcode": (ws.frame(0x3, NO_SEQ), 1002),
    "unknown_control_opcode": (ws.frame(0xB, b"?"), 1002),
    "text_message": (ws.frame(ws.TEXT, b"hello"), 1003),
    "continuation_of_nothing": (ws.frame(ws.CONTINUATION, b"tail"), 1002),
    "message_in_a_message": (ws.frame(ws.BINARY, b"a", fin=False) + ws.frame(ws.BINARY, NO_SEQ), 1002),
    "fragmented_ping": (ws.frame(ws.PING, b"a", fin=False), 1002),
    "long_ping": (ws.frame(ws.PING, b"a" * 126), 1002),
    "close_with_one_byte": (ws.frame(ws.CLOSE, b"\3"), 1002),
    "close_with_an_illegal_code": (ws.frame(ws.CLOSE, struct.pack(">H", 1005)), 1002),
    "length_not_minimal": (b"\x82\x7e\x00\x05hello", 1002),
    "length_with_the_top_bit": (b"\x82\x7f\x80" + b"\0" * 7, 1002),
    "too_big": (ws.frame(ws.BINARY, b"", length=5_000_001), 1009),
    "absurdly_big": (ws.frame(ws.BINARY, b"", length=1 << 62), 1009),
    "too_big_in_fragments": (ws.frame(ws.BINARY, BIG, fin=False) + ws.frame(ws.CONTINUATION, BIG, fin=False) * 50, 1009),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_violation_of_the_protocol_is_logged_closed_and_loses_nothing(lab, violation):
    data, code = VIOLATIONS[violation]
    made = events.make(20)

    async def script(connection):
        await connection.serve(10)
        await connection.send(data)
        await connection.until_client_ends()

    s = scripted(lab, made, script)
    s.relay.wait_upgraded(2)
    assert s.relay.connections[0].wait_frame(ws.CLOSE).close_code in (code, 1002)
    s.daemon.wait_log(r"(warn|error) .*relay")
    s.assert_all()
    assert s.relay.connections[1].cursor == made[9].seq


def test_largest_message_that_is_allowed_arrives(lab):
    big = events.Event(2, events.repo(2), frames.commit(2, events.repo(2), [], padding=b"x" * 4_999_000))
    assert 4_999_000 < len(big.frame) <= 5_000_000
    s = lab.system([events.post(1, events.repo(1)), big, events.post(3, events.repo(2))])
    s.assert_all()
    assert len(s.relay.connections) == 1


# -- Reconnecting ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inclusive", [False, True], ids=["seq_above_cursor", "seq_from_cursor_on"])
def test_drop_is_followed_by_a_connection_at_the_last_seq_without_doubles(lab, inclusive):
    made = events.make(100)
    relay = lab.relay(made, inclusive=inclusive)
    relay.script(ws.serve(40))
    s = lab.system(relay=relay)
    assert relay.wait_connections(2).cursor == made[39].seq
    s.assert_all()
    status = s.daemon.assert_balance()
    assert status["duplicate"] == (1 if inclusive else 0)
    assert status["relay"]["connects"] == 2


@pytest.mark.parametrize("how", ["end of file", "reset", "half a frame", "half a header"])
def test_every_way_of_dropping_loses_nothing(lab, how):
    made = events.make(60)
    next_frame = ws.frame(ws.BINARY, made[20].frame)

    async def script(connection):
        await connection.serve(20)
        if how == "reset":
            connection.reset()
        elif how == "half a frame":
            await connection.send(next_frame[: len(next_frame) // 2])
        elif how == "half a header":
            await connection.send(next_frame[:3])

    s = scripted(lab, made, script)
    s.relay.wait_connections(2)
    s.assert_all()


def test_drop_in_the_middle_of_a_fragmented_message_loses_nothing(lab):
    made = events.make(60)

    async def script(connection):
        await connection.serve(20)
        half = made[20].frame[:40]
        await connection.send(ws.frame(ws.BINARY, half, fin=False) + ws.frame(ws.CONTINUATION, b"", fin=False))

    s = scripted(lab, made, script)
    s.assert_all()
    assert s.relay.connections[1].cursor == made[19].seq


def test_events_that_come_again_after_a_reconnect_are_counted_as_duplicates(lab):
    made = events.make(60)

    async def again(connection):
        """Begins earlier than the client has asked for."""
        await connection.upgrade()
        for event in made[30:]:
            await connection.message(event.frame)
        await connection.until_client_ends()

    relay = lab.relay(made)
    relay.script(ws.serve(40), again)
    s = lab.system(relay=relay)
    s.assert_all()
    assert s.daemon.assert_balance()["duplicate"] == 10


def test_same_event_twice_on_one_connection_is_delivered_once(lab):
    """A relay may send one seq twice where it goes from stored to live events."""
    made = events.make(40)

    async def script(connection):
        await connection.upgrade()
        for event in made[:20] + made[15:]:
            await connection.message(event.frame)
        await connection.until_client_ends()

    s = scripted(lab, made, script)
    s.assert_all()
    assert s.daemon.assert_balance(45)["duplicate"] == 5


def test_drop_again_and_again_loses_and_doubles_nothing(lab):
    made = events.make(200)
    relay = lab.relay(made)
    relay.script(ws.serve(70), ws.serve(1), ws.serve(40))
    s = lab.system(relay=relay)
    s.assert_all()
    assert relay.scripts_are_done()


def test_drop_before_the_first_event_starts_from_the_same_place(lab):
    relay = lab.relay(events.make(20))
    relay.script(ws.upgrade_then_close)
    s = lab.system(relay=relay)
    s.assert_all()
    assert [c.cursor for c in relay.connections] == [0, 0]


def test_live_start_that_is_dropped_before_the_first_event_stays_live(lab):
    relay = lab.relay(events.make(20))
    relay.script(ws.upgrade_then_close)
    s = lab.system(relay=relay, start=False)
    s.daemon.write_config(start="live")
    s.daemon.start()
    relay.wait_upgraded(2)
    assert [c.cursor for c in relay.connections] == [None, None]


def test_backoff_grows_while_the_relay_accepts_and_drops(lab):
    """An accepted connection does not prove a healthy relay. firehosed must not hammer one in trouble."""
    relay = lab.relay(events.make(20))
    times = []

    async def note_and_close(connection):
        times.append(time.monotonic())
        await connection.upgrade()

    relay.script(note_and_close, note_and_close, note_and_close, note_and_close)
    s = lab.system(relay=relay, relay_backoff="200ms")
    wait_for(lambda: len(times) == 4, "four attempts")
    waits = [b - a for a, b in zip(times, times[1:])]
    announced = [float(line.split("next attempt in ")[1].split()[0]) for line in s.daemon.log_lines("next attempt in")]
    assert waits[0] >= 0.1, waits  # jitter takes less than half
    assert announced[2] > announced[0], announced  # a busy machine may make any wait longer
    assert waits[2] > announced[2] - 0.1, (waits, announced)
    s.wait_delivered()


def test_status_and_log_tell_how_the_connection_is(lab):
    s = lab.system(events.make(10))
    status = s.daemon.wait_connected()
    assert status["relay"]["state"] == "up"
    assert status["relay"]["connects"] == 1
    assert s.relay.authority in status["relay"]["url"]
    s.relay.stop()
    status = s.daemon.wait_status(lambda st: not st["relay"]["connected"], "to notice the drop")
    assert status["relay"]["state"] != "up"
    s.daemon.wait_log(r"(warn|error) .*relay")
    s.relay.start()
    s.daemon.wait_status(lambda st: st["relay"]["connects"] >= 2 and st["relay"]["connected"], "to connect again")
    s.daemon.wait_log(CONNECTED, 2)


# -- Liveness ----------------------------------------------------------------------------------------------------

QUICK = {"relay_ping_interval": "200ms", "relay_idle_timeout": "800ms"}


def test_idle_relay_that_answers_pings_is_kept(lab):
    made = events.make(20)
    relay = lab.relay(made)
    s = lab.system(relay=relay, relay_ping_interval="200ms", relay_idle_timeout="2s")
    s.assert_all()
    c = relay.connections[0]
    before = len(c.frames(ws.PING))
    c.wait_frame(ws.PING, before + 20)  # twice the idle timeout
    assert len(relay.connections) == 1
    s.more(10)
    s.assert_all()
    assert len(relay.connections) == 1


def test_silent_relay_is_dropped_and_asked_again(lab):
    relay = lab.relay(events.make(20))
    relay.script(ws.silence)
    s = lab.system(relay=relay, **QUICK)
    relay.wait_upgraded(1).wait_frame(ws.PING)
    s.daemon.wait_log(r"(warn|error) .*(silent|nothing|no byte|idle|dead|timed? ?out)")
    relay.wait_upgraded(2)
    s.assert_all()


def test_relay_that_goes_silent_after_events_is_resumed_at_the_last_seq(lab):
    made = events.make(50)

    async def script(connection):
        connection.answers_pings = False
        await connection.serve(25)
        await connection.until_client_ends()

    s = scripted(lab, made, script, **QUICK)
    assert s.relay.wait_connections(2).cursor == made[24].seq
    s.assert_all()


def test_busy_relay_that_ignores_pings_is_kept(lab):
    """Each byte is a sign of life."""
    made = events.make(50)

    async def script(connection):
        connection.answers_pings = False
        await connection.serve(limit=50, pace=0.06)
        connection.answers_pings = True
        await connection.serve()

    s = scripted(lab, made, script, relay_ping_interval="200ms", relay_idle_timeout="2s")
    s.assert_all()
    assert len(s.relay.connections) == 1


def test_frozen_relay_is_dropped(lab):
    """The relay neither reads nor writes any more, but the connection stays open."""
    async def frozen(connection):
        await connection.serve(10)
        connection.listener.cancel()
        await asyncio.sleep(3600)

    s = scripted(lab, events.make(20), frozen, **QUICK)
    s.relay.wait_upgraded(2)
    s.assert_all()


# -- What the relay says by name -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ConsumerTooSlow", "SomethingNew"])
def test_error_frame_is_logged_by_name_and_followed_by_a_new_connection(lab, name):
    made = events.make(30)

    async def script(connection):
        await connection.serve(10)
        await connection.send(ws.frame(ws.BINARY, frames.error(name, "a message")))

    s = scripted(lab, made, script)
    line = s.daemon.wait_log(rf"(warn|error) .*{name}")
    assert "a message" in line
    s.relay.wait_connections(2)
    s.assert_all()


def test_future_cursor_is_a_new_sequence_and_nothing_new_is_taken_for_old(lab):
    """The relay was rebuilt. Its seqs begin anew, far below the cursor."""
    old, new = events.make(10), events.make(30, first_seq=100)

    async def script(connection):
        await connection.upgrade()
        connection.relay.log[:] = new[:10]
        await connection.send(ws.frame(ws.BINARY, frames.error("FutureCursor", "Cursor in the future.")))

    relay = lab.relay(old)
    relay.script(ws.serve(10), script)
    s = lab.system(relay=relay)
    s.daemon.wait_log(r"(warn|error) .*FutureCursor")
    assert relay.wait_connections(3).cursor == 0  # from the oldest event on, so that firehosed skips none
    relay.append(new[10:])
    stream.wait_seqs(s.db, old + new)
    s.wait_cursor(new[-1].seq)
    assert sorted(stream.seqs(s.db)) == [e.seq for e in new + old if e.is_delivered]


@pytest.mark.parametrize("start", ["live", "oldest"])
def test_future_cursor_where_no_place_was_asked_for_is_an_error_as_any_other(lab, start):
    """firehosed must not begin a new sequence, with new workers, again and again without a pause."""

    async def refuse(connection):
        await connection.upgrade()
        await connection.send(ws.frame(ws.BINARY, frames.error("FutureCursor", "Cursor in the future.")))
        await connection.until_client_ends()

    relay = lab.relay()
    relay.default = refuse
    s = lab.system(relay=relay, start=False, relay_backoff="10ms", relay_backoff_max="20ms")
    s.daemon.write_config(start=start)
    s.daemon.start(wait=False)
    s.daemon.wait_log("FutureCursor.*next attempt in", count=3)
    s.daemon.wait_status(lambda status: status["resets"] == 0, "no new sequence")
    assert not s.daemon.log_lines("its sequence is another one")


def test_relay_that_silently_begins_far_below_is_a_new_sequence(lab):
    """The public relays do so: they send no FutureCursor, but seqs far below the cursor."""
    old, new = events.make(10), events.make(30, first_seq=100)

    async def script(connection):
        await connection.upgrade()
        connection.relay.log[:] = new[:10]
        await connection.send(b"".join(ws.frame(ws.BINARY, e.frame) for e in new[:10]))

    relay = lab.relay(old)
    relay.script(ws.serve(10), script)
    s = lab.system(relay=relay)
    stream.wait_seqs(s.db, old)
    relay.drop_all()
    s.daemon.wait_log(r"error .*far below cursor")
    assert relay.wait_connections(3).cursor == 0
    relay.append(new[10:])
    stream.wait_seqs(s.db, old + new)
    s.wait_cursor(new[-1].seq)
    assert sorted(stream.seqs(s.db)) == [e.seq for e in new + old if e.is_delivered]
    assert s.daemon.status()["resets"] == 1
    s.daemon.stop()
    s.daemon.restart()
    s.daemon.wait_connected()
    assert relay.wait_connections(4).cursor == new[-1].seq


def test_error_frame_with_a_t_is_understood(lab):
    async def script(connection):
        await connection.serve(10)
        await connection.send(ws.frame(ws.BINARY, frames.cbor({"op": -1, "t": "#error"})
                                       + frames.cbor({"error": "ConsumerTooSlow"})))  # fmt: skip

    s = scripted(lab, events.make(20), script)
    s.daemon.wait_log(r"(warn|error) .*ConsumerTooSlow")
    s.assert_all()


def test_outdated_cursor_is_logged_and_the_stream_goes_on(lab):
    made = events.make(20)
    s = lab.system([events.other(frames.info("OutdatedCursor", "requested cursor is too old")), *made])
    s.daemon.wait_log(r"(warn|error) .*OutdatedCursor")
    stream.wait_seqs(s.db, made)
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, made)
    assert len(s.relay.connections) == 1


def test_what_a_relay_says_cannot_forge_a_line_of_the_log(lab):
    async def script(connection):
        await connection.serve(1)
        await connection.send(ws.frame(ws.BINARY, frames.error("Evil", "x\n2026-01-01T00:00:00.000Z info forged[1]: y")))

    s = scripted(lab, events.make(2), script)
    s.daemon.wait_log(r"Evil")
    assert not [line for line in s.daemon.log().splitlines() if re.match(r"2026-01-01T00:00:00.000Z", line)]


def test_no_second_connection_while_one_is_up(lab):
    s = lab.system(events.make(50))
    s.assert_all()
    hold_for(lambda: len(s.relay.connections) == 1, 0.5, "one connection")
