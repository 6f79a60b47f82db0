"""What consumers read. Names, order and types must be those of the services that firehosed replaces."""

import json
import re
import threading

import events
import frames
import stream
from waiting import wait_for

GROUP = "firehose-processors"


def test_entry_has_type_data_and_seq_in_this_order(lab):
    did = events.repo(1)
    record = {"$type": "app.bsky.feed.post", "text": "hello", "createdAt": frames.TIME}
    ops = [
        frames.create("app.bsky.feed.post/3k2a", record),
        frames.update("app.bsky.actor.profile/self", {"$type": "app.bsky.actor.profile", "displayName": "Ö"}),
        frames.delete("app.bsky.graph.follow/3k2b"),
    ]
    s = lab.system([
        events.Event(1001, did, frames.commit(1001, did, ops)),
        events.Event(1002, did, frames.identity(1002, did, "alice.example")),
        events.Event(1003, did, frames.identity(1003, did)),
        events.Event(1004, did, frames.account(1004, did, False, "deactivated")),
    ], workers=1)  # fmt: skip
    s.wait_delivered()
    found = stream.entries(s.db)
    assert [e.fields[0::2] for e in found] == [("type", "data", "seq")] * 4
    assert [e.fields[1] for e in found] == ["commit", "identity", "identity", "account"]
    assert [e.fields[5] for e in found] == ["1001", "1002", "1003", "1004"]
    commit = found[0].data
    assert list(commit) == ["repo", "ops"]
    assert commit["repo"] == did
    assert commit["ops"] == [
        {"action": "create", "path": ops[0].path, "cid": frames.cid_text(ops[0].cid), "record": record},
        {"action": "update", "path": ops[1].path, "cid": frames.cid_text(ops[1].cid),
         "record": {"$type": "app.bsky.actor.profile", "displayName": "Ö"}},
        {"action": "delete", "path": ops[2].path},
    ]  # fmt: skip
    assert found[1].data == {"did": did, "handle": "alice.example"}
    assert found[2].data == {"did": did, "handle": did}
    assert found[3].data == {"did": did, "active": False}


def test_consumer_group_reads_parses_and_acknowledges_everything(lab):
    s = lab.system(events.make(300), start=False)
    s.db.xgroup_create(stream.STREAM, GROUP, id="0", mkstream=True)  # the consumers begin before firehosed
    s.daemon.start()
    wanted = {e.seq: e.expected for e in s.events if e.is_delivered}
    got = {}

    def read_some():
        answer = s.db.xreadgroup(GROUP, "consumer-1", {stream.STREAM: ">"}, count=100, block=100)
        for _, messages in answer or []:
            for message_id, fields in messages:
                kind, data, seq = list(fields.values())[:3]  # by position, as they do
                got[int(seq)] = ("ready", kind, json.loads(data))
                s.db.xack(stream.STREAM, GROUP, message_id)
        return len(got) >= len(wanted)

    wait_for(read_some, "the consumer to read everything")
    assert got == wanted
    assert s.db.xpending(stream.STREAM, GROUP)["pending"] == 0


def test_stream_is_trimmed_to_about_its_maximum(lab):
    s = lab.system(events.make(2000), stream_max_len=500, workers=1)
    s.daemon.wait_status(lambda st: st["cursor"] == str(s.events[-1].seq), "to reach the end")
    s.daemon.assert_balance(2000)
    assert 500 <= s.db.xlen(stream.STREAM) < 900  # "~": whole nodes of about 100 entries
    assert max(stream.seqs(s.db)) == max(e.seq for e in s.events if e.is_delivered)


def test_stream_without_maximum_is_not_trimmed(lab):
    s = lab.system(events.make(1000), stream_max_len=0)
    s.assert_all()


def test_cursor_is_a_decimal_string_and_ends_at_the_last_event(lab):
    s = lab.system(events.make(50))
    s.wait_delivered()
    s.wait_cursor(s.events[-1].seq)
    assert s.db.type(stream.CURSOR) == "string"


def test_cursor_is_never_ahead_of_the_stream(lab):
    s = lab.system(events.make(5000))
    wanted = sorted(e.seq for e in s.events if e.is_delivered)
    last = s.events[-1].seq

    def look():
        cursor = int(s.db.get(stream.CURSOR) or 0)
        there = set(stream.seqs(s.db))
        ahead = [seq for seq in wanted if seq <= cursor and seq not in there]
        assert not ahead, f"cursor {cursor}, but not in the stream: {ahead[:5]}"
        return cursor == last

    wait_for(look, "the cursor to reach the end", every=0.005)


def test_start_takes_up_the_cursor_that_the_service_before_it_left(lab):
    s = lab.system(events.make(200), start=False)
    old = s.events[99].seq
    s.db.set(stream.CURSOR, str(old))
    s.daemon.start()
    assert s.relay.wait_connections(1).cursor == old
    rest = s.events[100:]
    stream.wait_seqs(s.db, rest)
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, rest)
    s.wait_cursor(s.events[-1].seq)


def test_start_without_cursor_is_live_by_default(lab):
    s = lab.system(events.make(50), start=False)
    s.daemon.write_config(start=None)
    s.daemon.start()
    assert s.relay.wait_upgraded(1).cursor is None
    s.daemon.wait_connected()
    fresh = s.more(50)
    stream.wait_seqs(s.db, fresh)
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, fresh)


def test_start_at_the_oldest_event_asks_for_cursor_0(lab):
    s = lab.system(events.make(50))
    assert s.relay.wait_connections(1).cursor == 0
    s.assert_all()


def test_a_cursor_that_is_no_number_is_said_and_not_taken(lab):
    s = lab.system(events.make(5), start=False)
    s.db.set(stream.CURSOR, "yesterday")
    s.daemon.start()
    s.daemon.wait_log(r"(warn|error) .*firehose:python_cursor")


def test_status_key_tells_the_dashboard_and_expires_by_itself(lab):
    s = lab.system(events.make(20))
    last = str(s.events[-1].seq)

    def complete():
        text = s.db.get(stream.STATUS)
        value = json.loads(text) if text else {}
        return value if value.get("connected") is True and value.get("currentCursor") == last else None

    value = wait_for(complete, lambda: f"connected and the cursor {last} in {s.db.get(stream.STATUS)}")
    assert set(value) == {"connected", "url", "currentCursor"}
    assert s.relay.authority in value["url"]
    assert 0 < s.db.ttl(stream.STATUS) <= 10
    s.relay.stop()
    wait_for(lambda: json.loads(s.db.get(stream.STATUS) or "{}").get("connected") is False,
             "connected: false in the status key")  # fmt: skip


def test_status_key_has_a_null_cursor_before_the_first_event(lab):
    s = lab.system([])
    value = wait_for(lambda: json.loads(s.db.get(stream.STATUS) or "null"), "the status key")
    assert value["currentCursor"] is None


def test_recent_events_is_a_list_of_the_newest_for_the_dashboard(lab):
    s = lab.system(events.make(50), broadcast_rate=1000)
    s.wait_delivered()
    text = wait_for(lambda: s.db.get(stream.RECENT), stream.RECENT)
    assert 0 < s.db.ttl(stream.RECENT) <= 10
    listed = json.loads(text)
    assert 0 < len(listed) <= 50
    repos = {e.repo for e in s.events}
    for item in listed:
        assert set(item) == {"type", "lexicon", "did", "action", "timestamp"}
        assert item["type"] in ("#commit", "#identity", "#account", "#sync")
        assert item["did"] in repos
        assert re.fullmatch(r"\d\d:\d\d:\d\d", item["timestamp"])
        if item["type"] == "#commit":
            assert re.fullmatch(r"app\.bsky\.[a-z.]+", item["lexicon"])
            assert item["action"] in ("create", "update", "delete")


def test_recent_events_has_the_newest_first_and_at_most_50(lab):
    s = lab.system(events.make(10), broadcast_rate=1000)
    marked = [events.post(seq, events.repo(1000 + seq)) for seq in range(events.after(s.events), events.after(s.events) + 120)]
    s.daemon.wait_connected()
    numbers = {e.repo: e.seq for e in marked}

    # One after the other, so that the rate limit leaves none out.
    for event in marked:
        s.relay.append([event])

    def newest_first():
        listed = json.loads(s.db.get(stream.RECENT) or "[]")
        seqs = [numbers[item["did"]] for item in listed if item["did"] in numbers]
        assert len(listed) <= 50
        return len(seqs) >= 2 and seqs == sorted(seqs, reverse=True)

    wait_for(newest_first, "the newest events, newest first")


def test_broadcast_reaches_subscribers_one_event_a_message(lab):
    s = lab.system([], broadcast_rate=1000)
    with s.redis.client() as db, db.pubsub(ignore_subscribe_messages=True) as subscriber:
        subscriber.subscribe(stream.BROADCAST)
        subscriber.get_message(timeout=5)
        s.daemon.wait_connected()
        repos = {e.repo for e in s.more(20)}
        message = wait_for(lambda: subscriber.get_message(timeout=1), "a broadcast message")
        item = json.loads(message["data"])
    assert set(item) == {"type", "lexicon", "did", "action", "timestamp"}
    assert item["did"] in repos


def test_broadcast_is_limited_so_that_redis_is_not_flooded(lab):
    s = lab.system([], broadcast_rate=5)
    heard = []
    with s.redis.client() as db, db.pubsub(ignore_subscribe_messages=True) as subscriber:
        subscriber.subscribe(stream.BROADCAST)
        subscriber.get_message(timeout=5)
        stop = threading.Event()

        def listen():
            while not stop.is_set():
                if subscriber.get_message(timeout=0.1):
                    heard.append(1)

        listener = threading.Thread(target=listen)
        listener.start()
        s.daemon.wait_connected()
        s.more(3000)
        s.wait_delivered()
        stop.set()
        listener.join()
    assert len(heard) < 1000  # far fewer than events, however slow the machine


def test_broadcast_rate_0_writes_no_dashboard_events(lab):
    s = lab.system(events.make(100), broadcast_rate=0)
    s.assert_all()
    s.daemon.stop()
    assert s.db.get(stream.RECENT) is None


def test_log_has_the_lines_that_operators_grep_for(lab):
    s = lab.system(events.make(3000), report_events=1000)
    s.daemon.wait_log(r"Connected to firehose successfully")
    s.wait_delivered()
    line = s.daemon.wait_log(r"Processed [\d,]+ events \(~[\d,]+ events/sec, cursor: \d+\)")
    count, cursor = re.search(r"Processed ([\d,]+) events .*cursor: (\d+)", line).groups()
    assert re.fullmatch(r"\d,\d{3}", count) and int(count.replace(",", "")) >= 1000
    assert int(cursor) in {s.events[0].seq - 1} | {e.seq for e in s.events}


def test_keys_of_the_configuration_are_used(lab):
    s = lab.system(
        events.make(40), broadcast_rate=1000, stream_key="a:stream", cursor_key="a:cursor", status_key="a:status",
        recent_events_key="a:recent",
    )  # fmt: skip
    stream.wait_seqs(s.db, s.events, key="a:stream")
    wait_for(lambda: s.db.exists("a:cursor", "a:status", "a:recent") == 3, "the three keys")
    assert [key for key in s.db.keys("firehose:*")
            if key in (stream.STREAM, stream.CURSOR, stream.STATUS, stream.RECENT)] == []  # fmt: skip


def test_compat_leaves_sync_out_and_extended_delivers_it(lab):
    did = events.repo(1)
    made = [events.post(1001, did), events.Event(1002, did, frames.sync(1002, did)), events.post(1003, did)]
    compat = lab.system(made)
    compat.assert_all()
    assert stream.seqs(compat.db) == [1001, 1003]
    assert compat.daemon.assert_balance()["filtered"] == 1
    extended = lab.system(made, event_format="extended")
    extended.wait_length(3)
    assert [(e.seq, e.type) for e in stream.entries(extended.db)] == [(1001, "commit"), (1002, "sync"), (1003, "commit")]
    entry = stream.entries(extended.db)[0]
    assert entry.fields[0:6:2] == ("type", "data", "seq")
    assert {"repo", "ops", "rev", "time"} <= set(entry.data)
