"""A wrong Redis: a permission is missing, keys have other types, it is a cluster, or no Redis at all. The log names
each fault. firehosed loses nothing, and goes on when the fault is mended."""

import re

import pytest

import events
import frames
import stream
from control import ctl
from firehosed import ROOT, is_sanitized
from ports import free_port
from processes import resident_bytes
from raw_server import RawServer
from waiting import hold_for, wait_for

EVERYTHING = "on >secret ~* &* +@all"


def system(lab, redis, count=200, **settings):
    """Returns a firehosed that logs in as `limited`."""
    s = lab.system(events.make(count), redis=redis, start=False, **settings)
    s.daemon.write_config(redis=redis.url(user="limited", password="secret"))
    s.daemon.start()
    return s


# -- Permissions ------------------------------------------------------------------------------------------------

NEEDED = ["multi", "exec", "watch", "xadd", "get", "set", "type", "hget", "hset", "hmget"]  # before an event is written
NEEDED_AT_START = ["xrange", "xrevrange"]


@pytest.mark.parametrize("command", [*NEEDED, *NEEDED_AT_START])
def test_missing_permission_is_named_and_waited_out(lab, command):
    redis = lab.redis(users=["default on nopass ~* &* +@all", f"limited {EVERYTHING} -{command}"])
    s = system(lab, redis)
    s.daemon.wait_log(rf"warn .*redis.*NOPERM.*'{command}'")
    hold_for(lambda: s.db.xlen(stream.STREAM) == 0, 0.3, "no event in the stream")
    s.db.execute_command("ACL", "SETUSER", "limited", f"+{command}")
    s.assert_all(strict=True)
    assert not s.daemon.log_lines(r"worker \d, pid \d+, (killed|exited)")


@pytest.mark.parametrize("command", [*NEEDED, "hsetnx"])
def test_permission_that_is_taken_away_while_running_loses_nothing(lab, command):
    redis = lab.redis(users=["default on nopass ~* &* +@all", f"limited {EVERYTHING}"])
    s = system(lab, redis)
    s.assert_all()
    s.db.execute_command("ACL", "SETUSER", "limited", f"-{command}")
    redis.kill_daemon_clients()
    s.more(200)
    s.daemon.wait_log(rf"warn .*redis.*NOPERM.*'{command}'")
    s.db.execute_command("ACL", "SETUSER", "limited", f"+{command}")
    s.assert_all(strict=True)


@pytest.mark.parametrize("command", ["publish", "info", "xlen", "client|setname"])
def test_events_do_not_wait_for_a_permission_that_is_for_show(lab, command):
    redis = lab.redis(users=["default on nopass ~* &* +@all", f"limited {EVERYTHING} -{command}"])
    s = system(lab, redis)
    s.assert_all(strict=True)


@pytest.mark.parametrize("key", ["events", "progress", "owner:0", "owner:master", "python_cursor"])
def test_missing_permission_on_a_key_is_named_and_waited_out(lab, key):
    others = [k for k in ["events", "progress", "owner:?", "owner:??", "owner:master", "python_cursor", "status", "recent_events",
                          "undecodable"] if k != key]  # fmt: skip
    if key == "owner:0":
        others.remove("owner:?")
    grants = " ".join(f"~firehose:{k}" for k in others)
    redis = lab.redis(users=["default on nopass ~* &* +@all", f"limited on >secret {grants} &* +@all"])
    s = system(lab, redis)
    s.daemon.wait_log(r"warn .*redis.*NOPERM")
    s.db.execute_command("ACL", "SETUSER", "limited", "allkeys")
    s.assert_all(strict=True)


def test_user_of_the_manual_has_what_is_needed(lab):
    """The ACL line of doc/security.md, word for word, is enough for all events and figures, without any warning."""
    text = (ROOT / "doc/security.md").read_text()
    rules = re.search(r"ACL SETUSER firehosed on >PASSWORD ((?:.*\n {6})*.*)\n", text)[1].split()
    redis = lab.redis(users=["default on nopass ~* &* +@all", f"limited on >secret {' '.join(rules)}"])
    s = system(lab, redis, log_level="debug")
    s.assert_all(strict=True)
    bad = events.other(frames.account(events.after(s.events), events.repo(1), frames.OMIT), events.after(s.events))
    s.relay.append([bad])
    wait_for(lambda: s.db.xlen(stream.DEAD_LETTERS) == 1, "the dead letter")
    for command in (["list"], ["show", bad.seq], ["retry", bad.seq], ["drop", bad.seq]):
        done = ctl(s.daemon, "dead-letters", *command)
        assert "NOPERM" not in done.stdout + done.stderr
    s.daemon.wait_status(lambda st: st["redis"].get("stream_length") is None or st["redis"]["stream_length"] >= 0, "figures")
    wait_for(lambda: s.db.get("firehose:status"), "the dashboard's key")
    s.daemon.stop()
    assert not s.daemon.log_lines("NOPERM")


# -- Other keys where ours should be ------------------------------------------------------------------------------

WRONG = {
    "events": lambda db, key: db.set(key, "mine"),
    "progress": lambda db, key: db.set(key, "mine"),
    "undecodable": lambda db, key: db.hset(key, "a", "b"),
    "owner:0": lambda db, key: db.rpush(key, "a"),
    "owner:master": lambda db, key: db.sadd(key, "a"),
    "python_cursor": lambda db, key: db.hset(key, "a", "b"),
}


@pytest.mark.parametrize("key", [k for k in WRONG if k != "owner:0"])
def test_key_of_another_type_is_named_waited_out_and_never_overwritten(lab, key):
    redis = lab.redis()
    name = f"firehose:{key}"
    db = redis.client()
    WRONG[key](db, name)
    kind = db.type(name)
    s = lab.system(events.make(200), redis=redis)
    s.daemon.wait_log(rf"(warn|error) .*{name}\b.*")
    s.daemon.wait_log(r"(warn|error) .*(WRONGTYPE|holds a)")
    hold_for(lambda: db.type(name) == kind, 0.5, "the key to stay as it is")
    assert len(s.daemon.log_lines(r"WRONGTYPE|holds a")) < 30  # but not a storm of lines
    db.delete(name)
    s.assert_all(strict=True)


def test_owner_key_of_another_type_is_taken(lab):
    redis = lab.redis()
    WRONG["owner:0"](redis.client(), "firehose:owner:0")
    s = lab.system(events.make(200), redis=redis)
    s.assert_all(strict=True)


# -- A cluster ----------------------------------------------------------------------------------------------------


def test_cluster_is_named_and_nothing_is_lost(lab):
    # The usual port of its bus, 10000 higher, is among those of outgoing connections.
    nodes = [lab.redis(start=False, cluster_enabled="yes", cluster_node_timeout=2000, cluster_require_full_coverage="no",
                       cluster_port=free_port()) for _ in range(2)]  # fmt: skip
    for node in nodes:
        node.start()
    dbs = [node.client() for node in nodes]
    dbs[0].execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
    dbs[1].execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
    dbs[0].execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[1].port, nodes[1].lines["cluster_port"])
    wait_for(lambda: all(b"cluster_known_nodes:2" in raw(db, "CLUSTER", "INFO") and b"cluster_slots_assigned:16384" in
                         raw(db, "CLUSTER", "INFO") for db in dbs), "the cluster to form")  # fmt: skip
    s = lab.system(events.make(200), redis=nodes[0])
    s.daemon.wait_log(r"warn .*redis.*(MOVED|CROSSSLOT).*Redis Cluster")
    hold_for(lambda: all(db.dbsize() == 0 for db in dbs), 1, "nothing to be written")
    assert len(s.daemon.log_lines("MOVED|CROSSSLOT")) < 30
    real = lab.redis()
    s.redis = real
    s.daemon.reload(redis=real.url())
    s.assert_all(strict=True)


def raw(db, *command):
    got = db.execute_command(*command)
    return got if isinstance(got, bytes) else str(got).encode() if not isinstance(got, dict) else "".join(
        f"{k}:{v}\n" for k, v in got.items()).encode()  # fmt: skip


# -- No Redis at all ----------------------------------------------------------------------------------------------


def says(*parts, forever=None, wait=True):
    async def talk(reader, writer):
        await reader.read(4096)
        for part in parts:
            writer.write(part)
            await writer.drain()
        while forever is not None:
            writer.write(forever)
            await writer.drain()
        while wait and await reader.read(65536):
            pass

    return talk


def answers(reply):
    """Gives the same answer to each command."""

    async def talk(reader, writer):
        buffered = b""
        while True:
            got = await reader.read(65536)
            if not got:
                return
            buffered += got
            commands = len(re.findall(rb"\*\d+\r\n\$", buffered))
            buffered = b""
            writer.write(reply * commands)
            await writer.drain()

    return talk


GARBAGE = {
    "http": (says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), r"not a Redis|Protocol error|RESP"),
    "text": (says(b"220 mail.example ESMTP\r\n"), r"not a Redis|Protocol error|RESP"),
    "random": (says(bytes(range(256)) * 40), r"not a Redis|Protocol error|RESP"),
    "nuls": (says(b"\0" * 10_000), r"not a Redis|Protocol error|RESP"),
    "huge_bulk": (says(b"$2147483647\r\n", forever=b"x" * 65536), r"more than 64 MB|no answer within"),  # whichever comes first
    "line_without_end": (says(b"+", forever=b"x" * 65536), r"more than 64 MB|no answer within"),
    "huge_array": (says(b"*2000000000\r\n"), r"[Oo]ut of memory|Protocol error|RESP"),
    "large_array": (says(b"*10000000\r\n"), r"[Oo]ut of memory|Protocol error|RESP"),
    "negative_bulk": (says(b"$-5\r\n"), r"Protocol error|RESP|out of range"),
    "number_beyond": (says(b":99999999999999999999999999\r\n" * 4), r"Bad integer|Protocol error|RESP"),
    "deep": (says(b"*1\r\n" * 100_000), r"nested|Protocol error|RESP|not a Redis"),
    "silence": (says(), r"no answer within redis_reply_timeout"),
    "end": (says(wait=False), r"closed by the server"),
    "half_an_answer": (says(b"+O", wait=False), r"closed by the server"),
    "always_ok": (answers(b"+OK\r\n"), None),
    "always_nil": (answers(b"$-1\r\n"), None),
    "always_nil_array": (answers(b"*-1\r\n"), None),
    "always_empty_array": (answers(b"*0\r\n"), None),
    "always_one": (answers(b":1\r\n"), None),
    "always_text": (answers(b"$5\r\nhello\r\n"), None),
    "always_error": (answers(b"-ERR go away\r\n"), r"ERR go away"),
    "always_too_many": (answers(b"+OK\r\n" * 50), None),
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_redis_is_named_and_nothing_is_lost(lab, garbage):
    talk, said = GARBAGE[garbage]
    relay = lab.relay(events.make(200))
    server = RawServer(relay.run, talk)
    real = lab.redis()
    s = lab.system(relay=relay, redis=real, start=False, redis_reply_timeout="1s")
    s.daemon.write_config(redis=f"redis://127.0.0.1:{server.port}")
    s.daemon.start()
    pid = s.daemon.master_pid()
    if said is not None:
        s.daemon.wait_log(rf"(warn|error) .*redis.*({said})")
    wait_for(lambda: server.accepted >= 1, "a connection")
    hold_for(lambda: s.daemon.status()["written"] == 0, 0.5, "nothing to be taken for written")
    if not is_sanitized():
        assert resident_bytes(pid) < 120 << 20
    s.daemon.reload(redis=real.url())
    s.assert_all(strict=True)
    assert s.daemon.master_pid() == pid
    assert not s.daemon.log_lines(r"is not allowed")


@pytest.mark.parametrize("garbage", ["http", "huge_bulk", "huge_array", "silence", "always_ok", "always_one", "always_nil"])
def test_redis_that_turns_into_garbage_under_load_loses_nothing(lab, garbage):
    relay = lab.relay(events.make(500))
    server = RawServer(relay.run, GARBAGE[garbage][0])
    real = lab.redis()
    s = lab.system(relay=relay, redis=real, redis_reply_timeout="1s")
    s.wait_length(100)
    s.daemon.reload(redis=f"redis://127.0.0.1:{server.port}")
    wait_for(lambda: server.accepted >= 1, "a connection")
    s.more(500)
    hold_for(lambda: s.daemon.is_running(), 1.5, "firehosed to live")
    s.daemon.reload(redis=real.url())
    s.assert_all(strict=True)
