"""Rates, lag, kinds, collections and the state of Redis: the figures in status, top, metrics and the status page."""

import re
import time

import events
import frames
import stream
from control import ask
from endpoint import Endpoint
from events import aged
from ports import free_port
from waiting import hold_for


def collections_of(status):
    return {c["name"]: c["events"] for c in status["collections"]}


def test_lag_is_the_age_of_events_when_they_are_committed(lab):
    s = lab.system(aged(100, 1, 0.2))
    s.wait_length(100)
    status = s.daemon.wait_status(lambda s: s["lag_s"] is not None, "to know its lag")
    assert 0 < status["lag_s"] < 60, "far from the thousands that come next"
    assert status["eta_s"] is None or status["lag_s"] >= 5
    s.relay.append(aged(100, 101, 4000))
    status = s.daemon.wait_status(lambda s: (s["lag_s"] or 0) > 3900, "to be an hour behind")
    assert status["lag_s"] < 4000 + 120


def test_a_server_whose_clock_is_wrong_is_outvoted(lab):
    s = lab.system(aged(100, 1, 0), workers=1)
    s.wait_length(100)
    s.daemon.wait_status(lambda s: s["lag_s"] is not None, "to know its lag")
    s.relay.append(aged(3, 101, 7200) + aged(3, 104, -7200))
    s.wait_length(106)
    hold_for(lambda: s.daemon.status()["lag_s"] < 1000, 2.5, "three wrong clocks count for nothing")


def test_times_that_cannot_be_read_are_no_lag(lab):
    made = [events.other(frames.identity(n, events.repo(n), "a.example", time=t), n, events.repo(n))
            for n, t in enumerate(("yesterday", "", "9" * 500, "2026-13-01T00:00:00Z", "2026-01-01"), 1)]  # fmt: skip
    s = lab.system(made)
    s.wait_length(len(made))
    s.daemon.wait_status(lambda s: s["uptime_s"] > 2, "to have sampled")
    assert s.daemon.status()["lag_s"] is None


def test_lag_grows_while_redis_is_away_and_while_the_relay_is(lab):
    s = lab.system(aged(50, 1, 0))
    s.wait_length(50)
    first = s.daemon.wait_status(lambda s: s["lag_s"] is not None, "to know its lag")["lag_s"]
    s.redis.freeze()
    s.relay.append(aged(50, 51, 0))
    s.daemon.wait_status(lambda s: s["lag_s"] > first + 2.5, "to fall behind without Redis")
    s.redis.thaw()
    s.wait_length(100)

    def caught_up(status):
        s.relay.append(aged(10, events.after(s.events), 0))  # newer events follow those that came late
        return status["lag_s"] < 2

    s.daemon.wait_status(caught_up, "to catch up")
    s.relay.stop()
    s.daemon.wait_status(lambda s: s["lag_s"] > 2.5, "to fall behind without the relay")


def test_lag_is_known_where_the_master_filters_all(lab):
    s = lab.system(aged(100, 1, 300), kinds="commit")
    status = s.daemon.wait_status(lambda s: s["lag_s"] is not None, "to know its lag")
    assert status["filtered"] == 100 and status["written"] == 0
    assert 300 <= status["lag_s"] < 400


def test_lag_above_lag_warn_is_said_and_so_is_its_end(lab):
    s = lab.system(aged(100, 1, 500), lag_warn="100s")
    line = s.daemon.wait_log(r"warn .*behind the network by \d+ s")
    assert re.search(r"behind the network by 5\d\d s.* at [\d,]+ events/s", line)
    s.relay.append(aged(100, 101, 0))
    s.daemon.wait_log(r"info .*caught up: \d+\.\d s behind the network")
    assert len(s.daemon.log_lines("behind the network by")) == 1


def test_lag_warn_is_reloadable_and_0_is_silence(lab):
    s = lab.system(aged(100, 1, 500), lag_warn="0")
    s.daemon.wait_status(lambda s: (s["lag_s"] or 0) > 400, "to know its lag")
    hold_for(lambda: not s.daemon.log_lines("behind the network"), 1.5, "lag_warn = 0 is silence")
    s.daemon.reload(lag_warn="10s")
    s.daemon.wait_log("behind the network by")


def test_time_to_live_is_estimated_while_catching_up(lab):
    s = lab.system(lag_warn="20s")
    s.daemon.wait_connected()
    seq = 1
    # The lag is 100 s, and falls by 10 s each second.
    began = time.monotonic()
    eta = None
    while eta is None and time.monotonic() - began < 60:
        age = max(0.0, 100 - 10 * (time.monotonic() - began))
        s.relay.append(aged(20, seq, age))
        seq += 20
        time.sleep(0.1)
        status = s.daemon.status()
        if status["eta_s"] is not None:
            eta = status["eta_s"]
            assert 0 < eta < 60, "100 s at 10 s a second"
        began = time.monotonic() if age == 0 else began
    assert eta is not None


def test_kinds_and_collections_are_counted(lab):
    made = events.make(600)
    s = lab.system(made)
    s.assert_all()
    status = s.daemon.status()
    assert sum(status["kinds"].values()) == status["received"] == 600
    assert set(status["kinds"]) == {"commit", "sync", "identity", "account", "unknown"}
    for kind in ("sync", "identity", "account"):
        assert status["kinds"][kind] == sum(b"#" + kind.encode() in e.frame[:40] for e in made)
    counted = collections_of(status)
    assert set(counted) == {"app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.graph.follow"}
    assert sum(counted.values()) == status["kinds"]["commit"]
    assert [c["events"] for c in status["collections"]] == sorted(counted.values(), reverse=True)


def test_events_that_were_held_for_their_seq_are_counted_too(lab):
    s = lab.system(aged(10, 1_000, 0) + aged(1, 90_000_000_000, 0) + aged(10, 1_010, 0) + aged(10, 80_000_000_000, 0))
    s.daemon.wait_status(lambda s: s["rogue_seqs"] == 1 and s["cursor"] == "80000000009", "to be through")
    status = s.daemon.wait_settled()
    assert sum(status["kinds"].values()) == status["received"] == 31


def test_hostile_collection_names_cannot_fill_memory_or_break_json(lab):
    names = [f"com.example.invented{n}/x" for n in range(1000)]
    names += ['a.b."}/x', "a.b.\n/x", "app.bsky.feed.post", "/x", "x" * 2000 + ".a.b/x", "a.b.é/x"]
    made = [events.post(n, events.repo(n % 40)) for n in range(1, 101)]
    for seq, path in enumerate(names, 101):
        frame = frames.commit(seq, events.repo(1), [frames.delete(path)])
        made.append(events.other(frame, seq, events.repo(1)))
    s = lab.system(made)
    s.daemon.wait_status(lambda s: s["received"] == len(made) and s["in_flight"] == 0, "to be through")
    status = s.daemon.status()
    assert len(status["collections"]) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", c["name"]) for c in status["collections"])
    assert status["collections"][0]["name"] == "app.bsky.feed.post" and status["collections"][0]["events"] == 100
    assert status["collections_other"] >= len(names) - 255


def test_rates_follow_the_flow_and_end_with_it(lab):
    s = lab.system(workers=2)
    s.daemon.wait_connected()
    seen = s.daemon.wait_status(lambda status: s.more(50) and status["rates"]["events_per_s"] > 0, "to have a rate")
    assert seen["rates"]["bytes_per_s"] > seen["rates"]["events_per_s"]
    assert seen["rates"]["events_per_s_10s"] > 0
    s.assert_all()
    s.daemon.wait_status(lambda s: s["rates"]["events_per_s"] == 0 and all(w["per_s"] == 0 for w in s["workers"]),
                         "to be quiet")  # fmt: skip
    s.daemon.wait_status(lambda status: s.more(50) and sum(w["per_s"] for w in status["workers"]) > 0,
                         "to show which worker works")  # fmt: skip


def test_history_has_ten_minutes_with_the_newest_last(lab):
    s = lab.system(aged(500, 1, 3))
    s.wait_length(500)
    s.daemon.wait_status(lambda s: s["lag_s"] is not None, "to know its lag")
    history = ask(s.daemon, "history")
    assert history["interval_s"] == 1
    assert len(history["events"]) == len(history["lag"]) == 600
    assert history["events"][0] == 0 and history["lag"][0] is None
    assert history["lag"][-1] is not None
    assert sum(history["events"]) > 0


def test_redis_figures_are_those_of_redis(lab):
    s = lab.system(events.make(300), redis_options={"maxmemory": "64mb"})
    s.assert_all()
    length = s.db.xlen(stream.STREAM)
    status = s.daemon.wait_status(lambda s: s["redis"]["stream_length"] == length, "to know the stream's length", 40)
    assert status["redis"]["max_memory"] == 64 << 20
    assert 500_000 < status["redis"]["used_memory"] < 64 << 20
    assert status["redis"]["dead_letters_length"] == 0
    s.redis.kill()
    gone = s.daemon.wait_status(lambda s: s["redis"]["state"] != "ready", "to miss Redis")
    assert gone["redis"]["used_memory"] is None and gone["redis"]["stream_length"] is None
    s.redis.start()


def test_a_redis_that_evicts_the_stream_is_said_everywhere(lab):
    port = free_port()
    s = lab.system(events.make(50), redis_options={"maxmemory": "6mb"}, http_listen=port)
    s.assert_all()
    s.daemon.wait_status(lambda s: s["redis"]["evicted_keys"] == 0, "to know Redis")
    assert s.daemon.status()["redis"]["concern"] == ""
    s.db.config_set("maxmemory-policy", "allkeys-lru")
    what = "maxmemory-policy allkeys-lru evicts the stream"
    s.daemon.wait_log(f"error .*redis: {what}")
    assert what in s.daemon.status()["redis"]["concern"]
    assert any(what in note for note in Endpoint(port).json("/readyz")[1]["notes"])
    assert Endpoint(port).metrics()[0]["firehosed_redis_unsafe"] == 1
    s.more(8000, text="x" * 1500)
    s.daemon.wait_log(r"error .*redis: it has evicted \d+ keys; the stream, its marks or the cursor may be among them")
    assert s.daemon.status()["redis"]["evicted_keys"] > 0
    s.db.config_set("maxmemory-policy", "noeviction")
    s.daemon.wait_log("info .*redis: this is over: maxmemory-policy")


def test_a_redis_user_who_may_not_ask_is_no_trouble(lab):
    acl = "firehosed on >pw ~* &* +@all -info -xlen"
    redis = lab.redis(users=[acl])
    s = lab.system(events.make(100), redis=redis, start=False)
    s.daemon.write_config(redis=redis.url(user="firehosed", password="pw"))
    s.daemon.start()
    s.assert_all()
    s.daemon.wait_status(lambda s: s["uptime_s"] > 2, "to have asked")
    status = s.daemon.status()
    assert status["redis"]["used_memory"] is None and status["redis"]["stream_length"] is None
    assert status["redis"]["state"] == "ready" and status["redis"]["note"] == ""
    # Each worker logs one line, as it cannot check the log. The master logged in before anything was written.
    assert len(s.daemon.log_lines("NOPERM")) == len(s.daemon.log_lines("append-only log .*NOPERM.*'info'")) == 2
    # The figures; and at each login the run of Redis, and whether its log is sound.
    refused = 3 + 2 * len(redis.daemon_clients())
    hold_for(lambda: sum(int(entry["count"]) for entry in s.db.acl_log()) <= refused, 6, "asked once a connection")
