"""The control protocol, as doc/control-protocol.md describes it."""

import os
import json
import socket

import events
from control import Control
from firehosed import ROOT


def test_answer_repeats_version_and_id(lab):
    s = lab.system([])
    with Control(s.daemon) as c:
        for request_id in (7, "seven", -1, ""):
            c.send("status", id=request_id)
            answer = c.answer()
            assert (answer["v"], answer["id"], answer["ok"]) == (1, request_id, True)
        c.send("status")
        assert "id" not in c.answer()


def test_several_requests_on_one_connection_are_answered_each(lab):
    s = lab.system([])
    with Control(s.daemon) as c:
        c.socket.sendall(b"".join(b'{"command":"workers","id":%d}\n' % n for n in range(50)))
        assert [c.answer()["id"] for _ in range(50)] == list(range(50))


def test_refusals_have_codes_and_the_connection_goes_on(lab):
    s = lab.system([])
    cases = [
        (b"hello", "bad_request"),
        (b"{}", "bad_request"),
        (b'{"command":"status","argument":1}', "bad_request"),
        (b'{"command":"status","v":2}', "bad_version"),
        (b'{"command":"no-such"}', "unknown_command"),
        (b'{"command":"status","args":{"key":"x"}}', "bad_argument"),
        (b'{"command":"config","args":{"key":7}}', "bad_argument"),
        (b'{"command":"config","args":{"key":"no_such_key"}}', "not_found"),
        (b'{"command":"resize"}', "bad_argument"),
        (b'{"command":"resize","args":{"workers":0}}', "bad_argument"),
        (b'{"command":"resize","args":{"workers":65}}', "bad_argument"),
        (b'{"command":"log-level","args":{"level":"loud"}}', "bad_argument"),
        (b'{"command":"cursor-set","args":{}}', "bad_argument"),
        (b'{"command":"cursor-set","args":{"seq":1,"live":true}}', "bad_argument"),
        (b'{"command":"cursor-set","args":{"seq":1}}', "not_now"),
    ]
    with Control(s.daemon) as c:
        for line, code in cases:
            c.send_line(line)
            answer = c.answer()
            assert (answer["ok"], answer["code"]) == (False, code), (line, answer)
            assert answer["error"], line
        assert c.ask("status")["ok"]


def test_reason_is_text_whatever_was_asked(lab):
    s = lab.system([])
    with Control(s.daemon) as c:
        c.send_line(json.dumps({"command": "x" + "ü" * 100}, ensure_ascii=False).encode())  # the answer cuts it within a character
        assert c.answer()["code"] == "unknown_command"


def test_half_closed_connection_still_gets_its_answers(lab):
    s = lab.system([])
    with Control(s.daemon) as c:
        c.send("reload", id=1)
        c.send("status", id=2)
        c.socket.shutdown(socket.SHUT_WR)
        answers = []
        while (line := c.receive()) is not None:
            answers.append(line)
        assert {a["id"] for a in answers if "item" not in a} == {1, 2}


def test_too_long_a_line_is_answered_and_ends_the_connection(lab):
    s = lab.system([])
    with Control(s.daemon) as c:
        c.socket.sendall(b'{"command":"' + b"x" * 70_000)
        assert c.answer()["code"] == "bad_request"
        try:
            assert c.receive() is None
        except ConnectionResetError:
            pass  # a part of the line was unread


def test_late_answers_come_while_others_are_given(lab):
    """drain waits for the frozen Redis, and status does not."""
    s = lab.system(events.make(200), workers=1)
    s.assert_all()
    s.redis.freeze()
    s.more(50)
    s.daemon.wait_status(lambda t: t["in_flight"] > 0, "to have something in hand")
    with Control(s.daemon) as c:
        c.send("drain", id="late")
        c.send("status", id="soon")
        first = c.answer()
        assert first["id"] == "soon" and first["ok"]
        assert c.receive()["item"]["waiting_for"]
        for n in range(20):
            c.send("drain", id=n)
        refused = [c.answer() for _ in range(5)]
        assert [r["code"] for r in refused] == ["too_many"] * 5
        s.redis.thaw()
        answers = [c.answer() for _ in range(16)]
        assert {a["id"] for a in answers} == {"late", *range(15)}
        assert all(a["ok"] and a["result"]["paused"] for a in answers)
    s.assert_all()


def test_client_that_leaves_before_its_answer_harms_nobody(lab):
    s = lab.system(events.make(200), workers=1)
    s.assert_all()
    s.redis.freeze()
    s.more(50)
    s.daemon.wait_status(lambda t: t["in_flight"] > 0, "to have something in hand")
    for _ in range(30):
        with Control(s.daemon) as c:
            c.send("drain")
    s.redis.thaw()
    with Control(s.daemon) as c:
        assert c.ask("drain")["ok"]
        assert c.ask("resume")["ok"]
    s.assert_all()


def test_every_command_is_listed_and_documented(lab):
    s = lab.system([])
    page = (ROOT / "doc" / "control-protocol.md").read_text()
    with Control(s.daemon) as c:
        result = c.ask("commands")["result"]
    assert result["version"] == 1
    for command in result["commands"]:
        assert command["help"].endswith(".")
        assert f"### {command['name']}\n" in page, f"{command['name']} is not in doc/control-protocol.md"
        for argument in command["arguments"]:
            assert f"`{argument['name']}`" in page


def test_changing_commands_are_logged_and_others_are_not(lab):
    s = lab.system([])
    with Control(s.daemon) as c:
        c.ask("status")
        c.ask("log-level", level="debug")
    s.daemon.wait_log(r'info master\[\d+\]: control: log-level \{"level":"debug"\}, '
                      rf"asked for by user {os.geteuid()}, pid {os.getpid()}$")
    assert not s.daemon.log_lines(r"control: status")
