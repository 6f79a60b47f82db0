"""README's section on replacing the old services: every step and every command of it, with what those services write."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest

import events
import frames
import stream
from firehosed import ROOT, clean_environment
from old_services import PythonService, TypeScriptService

GROUP = "firehose-processors"
SECTION = re.search(r"^## Replacing the Python.*?(?=^## )", (ROOT / "README.md").read_text(), re.M | re.S)[0]

LETTERS_OF_THE_APPLICATION = "firehose:dead-letters"


def blocks():
    """Returns the indented blocks of the section."""
    return [re.sub(r"^ {4,7}", "", block, flags=re.M) for block in re.findall(r"(?:^ {4,}\S.*\n)+", SECTION, re.M)]


class Site:
    """A relay, a Redis with the keys of the application, a database, a consumer, and the shell of an operator."""

    def __init__(self, lab, count):
        self.relay, self.redis = lab.relay(events.make(count)), lab.redis()
        self.db = self.redis.client()
        self.database = lab.path("database")
        self.sql(TypeScriptService.TABLE)
        self.tools = lab.path("bin")
        self.tools.mkdir()
        self._tool("redis-cli", f'exec {shutil.which("redis-cli")} -s {self.redis.socket} "$@"')
        self._tool("psql", f'exec {sys.executable} -c "$SQL" "$@"')
        environment = {"RELAY_URL": self.relay.url, "REDIS_URL": self.redis.url(), "LOG_LEVEL": "INFO"}
        self.daemon = lab.firehosed(environment=environment, start=None, cursor_interval="1h")
        self.db.xgroup_create(stream.STREAM, GROUP, id="0", mkstream=True)
        letter = {"type": "commit", "data": "{}", "seq": "1", "origId": "1-1", "deliveries": "10"}
        self.db.xadd(LETTERS_OF_THE_APPLICATION, letter)
        self.db.hset("cluster:metrics", "totalEvents", 7)

    def _tool(self, name, line):
        (self.tools / name).write_text(f"#!/bin/sh\n{line}\n")
        (self.tools / name).chmod(0o755)

    def sql(self, statement):
        with sqlite3.connect(self.database) as connection:
            return connection.execute(statement).fetchall()

    def operate(self, what, **variables):
        """Runs the block of README that contains `what`, and returns what it prints."""
        found = [block for block in blocks() if what in block]
        assert len(found) == 1, f"{what!r} is in {len(found)} blocks of README's section"
        psql = ("import sqlite3, sys\n"
                f"with sqlite3.connect({str(self.database)!r}) as c:\n"
                "    [print(*row) for row in c.execute(sys.argv[-1])]")  # fmt: skip
        path = f"{self.tools}:{os.environ['PATH']}"
        done = subprocess.run(["sh", "-ec", found[0]], capture_output=True, text=True, timeout=30, cwd="/",
                              env=clean_environment(PATH=path, SQL=psql, DATABASE_URL="of the test", **variables))  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def firehosed(self, asks_for):
        """Starts firehosed, checks the cursor it asks the relay for, waits for the events, and ends it."""
        number = len(self.relay.connections)
        self.daemon.start()
        assert self.relay.wait_upgraded(number + 1).cursor == asks_for
        self.daemon.wait_log("Connected to firehose successfully", count=number + 1)
        self.relay.append(events.make(150, events.after(self.relay.log)))
        stream.wait_seqs(self.db, [e for e in self.relay.log if e.seq > asks_for])
        self.daemon.wait_settled()
        self.daemon.stop()

    def read(self, count=None, acknowledge=True):
        """Reads as the application does, by position, and returns the entries as (type, data, seq)."""
        answer = self.db.xreadgroup(GROUP, "one", {stream.STREAM: ">"}, count=count)
        messages = answer[0][1] if answer else []
        for message_id, _ in messages if acknowledge else ():
            self.db.xack(stream.STREAM, GROUP, message_id)
        return [(kind, json.loads(data), seq) for kind, data, seq in (list(fields.values()) for _, fields in messages)]

    def assert_application_is_untouched(self):
        assert [e.fields[0::2] for e in stream.entries(self.db, LETTERS_OF_THE_APPLICATION)] == [
            ("type", "data", "seq", "origId", "deliveries")]  # fmt: skip
        assert self.db.hgetall("cluster:metrics") == {"totalEvents": "7"}

    def assert_each_once(self):
        wanted = {e.seq: e for e in self.relay.log if e.is_delivered}
        found = stream.entries(self.db)
        assert sorted(entry.seq for entry in found) == list(wanted)
        stream.assert_order(found, wanted)


@pytest.fixture
def site(lab):
    return Site(lab, 400)


def test_python_service_is_replaced_and_comes_back(site):
    python = PythonService(site.db, site.relay)
    python.run(until=site.relay.log[299].seq)
    read = site.read(50) + site.read(20, acknowledge=False)
    group = site.db.xinfo_groups(stream.STREAM)[0]
    python.terminate()
    where = python.cursor
    assert site.operate("XREVRANGE") == [str(where)]
    assert site.operate("GET firehose:python_cursor\n")[0] == str(where)

    site.firehosed(asks_for=where)
    site.assert_each_once()
    site.assert_application_is_untouched()
    now = site.db.xinfo_groups(stream.STREAM)[0]
    assert [now[k] for k in ("consumers", "pending", "last-delivered-id")] == [
        group[k] for k in ("consumers", "pending", "last-delivered-id")]  # fmt: skip
    read += site.read()
    assert sorted(int(seq) for _, _, seq in read) == [e.seq for e in site.relay.log if e.is_delivered]
    expected = {str(e.seq): e.expected[1:] for e in site.relay.log if e.seq > where and e.is_delivered}
    assert {seq: (kind, data) for kind, data, seq in read if int(seq) > where} == expected

    last = site.relay.log[-1].seq
    assert site.db.get(stream.CURSOR) == str(last)
    site.relay.append(events.make(100, last + 1))
    python.run(until=site.relay.log[-1].seq)  # with the keys that firehosed has left
    python.terminate()
    site.assert_each_once()
    site.firehosed(asks_for=python.cursor)
    site.assert_each_once()


def test_leftovers_are_the_keys_of_the_table_and_can_be_deleted(site):
    python = PythonService(site.db, site.relay)
    python.run(until=site.relay.log[299].seq)
    python.terminate()
    site.db.delete(stream.STATUS)
    before = set(site.db.keys("*"))
    site.daemon.write_config(relay_attempts=1)
    site.daemon.environment["RELAY_URL"] += ",ws://further.invalid"
    site.firehosed(asks_for=python.cursor)
    site.db.set("firehose:python_cursor:further.invalid", "1")  # as after a failover
    site.db.hset("firehose:progress:further.invalid", "0", "1")
    site.db.delete(stream.STATUS, stream.RECENT)  # they expire
    table = re.findall(r"`(firehose:[\w:]+)`", SECTION[SECTION.index("| key |"):SECTION.index("To delete them")])
    patterns = [re.sub("HOST|N", ".+", name) for name in table]
    left = set(site.db.keys("*")) - before
    assert {name for name in left if not any(re.fullmatch(p, name) for p in patterns)} == set()
    assert len([p for p in patterns if any(re.fullmatch(p, name) for name in left)]) == len(patterns) == 4

    site.operate("--scan")
    assert set(site.db.keys("*")) == before
    site.assert_application_is_untouched()
    last = site.relay.log[-1].seq
    site.relay.append(events.make(100, last + 1))
    python.run(until=site.relay.log[-1].seq)
    python.terminate()
    site.firehosed(asks_for=python.cursor)
    site.assert_each_once()


def test_killed_python_service_is_replaced_without_a_gap_or_a_double(site):
    python = PythonService(site.db, site.relay)
    python.run(until=site.relay.log[299].seq)  # and no cursor saved since its start
    (where,) = site.operate("XREVRANGE")
    assert int(where) == python.cursor > int(site.operate("GET firehose:python_cursor\n")[0])
    site.operate("SET firehose:python_cursor", seq=where)
    site.firehosed(asks_for=int(where))
    site.assert_each_once()


def test_typescript_service_is_replaced_and_comes_back(site):
    service = TypeScriptService(site.db, site.relay, site.sql)
    last = next(e for e in site.relay.log[299:] if e.is_delivered and e.expected[1] == "commit")
    service.run(until=last.seq)
    (where,) = site.operate("XREVRANGE")
    assert int(where) == last.seq
    assert site.operate("SELECT cursor") == ["0"]  # psql's alone: Redis has no cursor
    site.operate("SET firehose:python_cursor", seq=where)
    written = site.db.xlen(stream.STREAM)
    site.firehosed(asks_for=last.seq)
    assert sorted(e.seq for e in stream.entries(site.db)[written:]) == [
        e.seq for e in site.relay.log if e.is_delivered and e.seq > last.seq]  # fmt: skip

    site.operate("UPDATE firehose_cursor")
    assert site.sql("SELECT cursor FROM firehose_cursor") == [(str(site.relay.log[-1].seq),)]
    site.relay.append(events.make(100, site.relay.log[-1].seq + 1))
    service.run(until=site.relay.log[-1].seq)
    assert site.db.xlen(stream.STREAM) == sum(e.is_delivered for e in site.relay.log)


def test_cursor_of_postgresql_is_enough_where_the_stream_is_empty(site):
    site.sql(f"INSERT INTO firehose_cursor (service, cursor) VALUES ('firehose', '{site.relay.log[99].seq}')")
    assert site.operate("XREVRANGE") == []
    (where,) = site.operate("SELECT cursor")
    site.operate("SET firehose:python_cursor", seq=where)
    site.firehosed(asks_for=site.relay.log[99].seq)
    stream.assert_delivered(site.db, site.relay.log[100:])


def test_payloads_differ_as_the_table_says(site):
    """The Python side of this record is what atproto 0.0.73 makes of it."""
    did, seq = events.repo(1), events.after(site.relay.log)
    blob = {"$type": "blob", "ref": frames.link(frames.cid(b"image", frames.RAW)), "mimeType": "image/jpeg", "size": 9}
    embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "x", "image": blob}]}
    ops = [frames.create("app.bsky.feed.post/3k2a", {
               "$type": "app.bsky.feed.post", "text": "Ö", "createdAt": frames.TIME, "embed": embed}),
           frames.create("org.example.thing/1", {"$type": "org.example.thing", "a": 1})]  # fmt: skip
    site.relay.append([events.Event(seq, did, frames.commit(seq, did, ops)),
                       events.Event(seq + 1, did, frames.commit(seq + 1, did, ops[1:])),
                       events.Event(seq + 2, did, frames.identity(seq + 2, did))])  # fmt: skip
    site.db.set(stream.CURSOR, str(seq - 1))
    python = PythonService(site.db, site.relay)
    python.run(until=seq + 2)
    theirs = [json.loads(e.fields[3]) for e in stream.entries(site.db)]
    site.db.delete(stream.STREAM)
    site.firehosed(asks_for=seq - 1)
    ours = [e.data for e in stream.entries(site.db)[:3]]

    image = frames.cid(b"image", frames.RAW)
    assert theirs[0]["ops"] == [{"action": "create", "path": ops[0].path, "cid": frames.cid_text(ops[0].cid), "record": {
        "$type": "app.bsky.feed.post", "py_type": "app.bsky.feed.post", "text": "Ö", "created_at": frames.TIME,
        "entities": None, "facets": None, "labels": None, "langs": None, "reply": None, "tags": None,
        "embed": {"py_type": "app.bsky.embed.images", "images": [{
            "py_type": "app.bsky.embed.images#image", "alt": "x", "aspect_ratio": None, "image": {
                "py_type": "blob", "mime_type": "image/jpeg", "size": 9, "ref": image.hex()}}]}}}]  # fmt: skip
    assert [op["path"] for op in ours[0]["ops"]] == [op.path for op in ops]
    assert ours[0]["ops"][0]["record"] == {
        "$type": "app.bsky.feed.post", "text": "Ö", "createdAt": frames.TIME,
        "embed": {**embed, "images": [{"alt": "x", "image": {**blob, "ref": {"$link": frames.cid_text(image)}}}]}}  # fmt: skip
    assert theirs[1]["ops"] == [] and len(ours[1]["ops"]) == 1
    assert (theirs[2]["handle"], ours[2]["handle"]) == (None, did)
