"""All ways to reach Redis; and a Redis that is absent, dying, slow, full, read-only or wrong. firehosed loses nothing,
and goes on by itself."""

import re
import signal
import time

import pytest
import redis as redis_py

import events
import stream
from processes import resident_bytes
from waiting import hold_for, wait_for

TROUBLE = r"(warn|error) .*redis"


def wait_in_trouble(s):
    return s.daemon.wait_status(lambda st: st["in_flight"] > 0, "to have work that it cannot finish")


# -- Ways of reaching it -------------------------------------------------------------------------------------------


def test_database_number_is_used(lab):
    redis = lab.redis()
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.write_config(redis=redis.url(db=3))
    s.daemon.start()
    stream.wait_seqs(redis.client(db=3), s.events)
    stream.assert_delivered(redis.client(db=3), s.events)
    assert redis.client(db=0).dbsize() == 0


def test_unix_socket_is_used(lab):
    redis = lab.redis()
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.write_config(redis=redis.unix_url(db=2))
    s.daemon.start()
    stream.wait_seqs(redis.client(db=2), s.events)


def test_password_with_odd_characters_is_used_and_never_shown(lab):
    redis = lab.redis(password="p@ss:w/rd %?#")
    s = lab.system(events.make(50), redis=redis, log_level="debug")
    s.assert_all()
    s.daemon.stop()
    for shown in ("p@ss", "p%40ss"):
        assert shown not in s.daemon.log()


def test_acl_user_is_used(lab):
    redis = lab.redis(users=["default on nopass ~* &* +@all", "writer on >secret ~* &* +@all"])
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.write_config(redis=redis.url(user="writer", password="secret"))
    s.daemon.start()
    s.assert_all()
    assert {c["user"] for c in redis.daemon_clients()} == {"writer"}


def test_name_is_resolved(lab):
    redis = lab.redis()
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.write_config(redis=redis.url(host="localhost"))
    s.daemon.start()
    s.assert_all()


def test_connections_have_names(lab):
    s = lab.system(events.make(50), workers=2)
    s.assert_all()
    names = [c["name"] for c in s.redis.daemon_clients()]
    assert len([n for n in names if re.match(r"firehosed-worker-\d", n)]) == 2
    assert all(n.startswith("firehosed") for n in names)


def test_tls_with_a_ca_file_works(lab):
    c = lab.certificates
    redis = lab.redis(certificate=c.good, ca_file=c.ca_file)
    s = lab.system(events.make(200), redis=redis, redis_ca_file=c.ca_file)
    s.assert_all()


@pytest.mark.parametrize(
    ("which", "said"), [("expired", "expired"), ("wrong_host", "mismatch"), ("unknown_ca", "issuer|self.signed|verify")]
)
def test_tls_with_a_bad_certificate_is_a_clear_error_and_no_connection(lab, which, said):
    c = lab.certificates
    redis = lab.redis(certificate=getattr(c, which), ca_file=c.ca_file, password="very-secret")
    s = lab.system(events.make(10), redis=redis, redis_ca_file=c.ca_file, shutdown_timeout="1s")
    s.daemon.wait_log(rf"{TROUBLE}.*({said})")
    assert s.db.dbsize() == 0
    s.daemon.close()


@pytest.mark.parametrize(
    ("user", "password", "said"),
    [("", "wrong", "WRONGPASS|invalid"), ("", "", "NOAUTH|Authentication"), ("nobody", "secret", "WRONGPASS|invalid")],
)
def test_refused_login_is_a_clear_error_and_is_waited_out(lab, user, password, said):
    redis = lab.redis(password="right")
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.write_config(redis=redis.url(user=user, password=password) if user or password else
                          f"redis://127.0.0.1:{redis.port}")  # fmt: skip
    s.daemon.start()
    s.daemon.wait_log(rf"{TROUBLE}.*({said})")
    status = s.daemon.status()
    assert re.search(said, str(status["redis"]) + str(status["workers"]))
    assert "wrong" not in s.daemon.log().replace("WRONGPASS", "")  # the password that was tried
    # The administrator changes Redis, and not firehosed.
    s.db.execute_command("ACL", "SETUSER", user or "default", "on", *([f">{password}"] if password else ["nopass"]),
                         "~*", "&*", "+@all")  # fmt: skip
    s.assert_all()


def test_missing_permission_is_a_clear_error_and_is_waited_out(lab):
    redis = lab.redis(users=["default on nopass ~* &* +@all", "reader on >secret ~* &* +@all -xadd"])
    s = lab.system(events.make(50), redis=redis, start=False)
    s.daemon.write_config(redis=redis.url(user="reader", password="secret"))
    s.daemon.start()
    s.daemon.wait_log(rf"{TROUBLE}.*NOPERM")
    s.db.execute_command("ACL", "SETUSER", "reader", "+xadd")
    s.assert_all()


# -- Down and up -----------------------------------------------------------------------------------------------------


def test_absent_at_start_is_waited_out(lab):
    redis = lab.redis(start=False)
    s = lab.system(events.make(200), redis=redis)
    s.daemon.wait_log(rf"{TROUBLE}.*refused")
    redis.start()
    s.assert_all()


def test_cursor_is_read_before_the_relay_is_asked(lab):
    """Only Redis knows where to begin. To begin live would leave a gap."""
    redis = lab.redis(aof=True)
    redis.client().set(stream.CURSOR, str(events.FIRST_SEQ))
    redis.kill()
    s = lab.system(events.make(100), redis=redis, start=False)
    s.daemon.write_config(start="live")
    s.daemon.start()
    s.daemon.wait_log(rf"{TROUBLE}.*refused")
    hold_for(lambda: not s.relay.connections, 0.3, "no connection to the relay before the cursor is known")
    redis.start()
    assert s.relay.wait_connections(1).cursor == events.FIRST_SEQ
    stream.wait_seqs(s.db, s.events[1:])


def test_killed_and_started_again_under_load_loses_nothing(lab):
    redis = lab.redis(aof=True)
    s = lab.system(events.make(2000), redis=redis)
    for length in (500, 2500):
        s.wait_length(length)
        before = len(s.daemon.log_lines(TROUBLE))
        redis.kill()
        s.more(2000)
        s.daemon.wait_log(TROUBLE, before + 1)
        redis.start()
        s.daemon.wait_status(lambda st: st["redis"]["state"] == "up" or st["in_flight"] == 0, "to write again")
    s.assert_all(strict=True)
    assert len(s.relay.connections) == 1


def test_trouble_and_recovery_are_logged_once_and_not_in_a_storm(lab):
    redis = lab.redis(aof=True)
    s = lab.system(events.make(100), redis=redis, workers=2)
    s.assert_all()
    redis.kill()
    s.more(500)
    wait_in_trouble(s)
    time.sleep(1.5)  # the time in which a storm would come
    redis.start()
    s.assert_all(strict=True)
    s.daemon.wait_log(r"info .*redis.*again")
    assert len(s.daemon.log_lines(TROUBLE)) < 40  # three processes, a burst each


def test_killed_connections_are_made_again(lab):
    s = lab.system(events.make(1000))
    for length in (200, 1200, 2200):
        s.wait_length(length)
        s.more(1000)
        s.redis.kill_daemon_clients()
    s.assert_all(strict=True)


def test_killed_idle_connections_are_made_again(lab):
    s = lab.system(events.make(100))
    s.assert_all()
    for _ in range(3):
        s.redis.kill_daemon_clients()
        s.more(50)
        s.wait_delivered()
    s.assert_all(strict=True)


def test_paused_redis_is_waited_out_without_doubles(lab):
    s = lab.system(events.make(500))
    s.wait_length(100)
    s.db.client_pause(700, all=True)
    s.more(2000)
    s.assert_all()


def test_frozen_redis_that_thaws_is_waited_out_without_doubles(lab):
    s = lab.system(events.make(500))
    s.wait_length(100)
    s.redis.freeze()
    s.more(1000)
    wait_in_trouble(s)
    s.redis.thaw()
    s.assert_all()


def test_frozen_redis_is_given_up_after_the_reply_timeout_and_loses_nothing(lab):
    s = lab.system(events.make(500), redis_reply_timeout="1s")
    s.wait_length(100)
    s.redis.freeze()
    s.more(1000)
    s.daemon.wait_log(rf"{TROUBLE}.*(answer|repl|time)")
    s.redis.thaw()
    s.assert_all(strict=True)


# -- Alive, but unable ------------------------------------------------------------------------------------------------


def test_memory_limit_reached_and_lifted_loses_nothing(lab):
    s = lab.system(events.make(200), stream_full="wait")
    s.assert_all()
    s.db.config_set("maxmemory", s.db.info("memory")["used_memory"] + 1_000_000)
    s.more(4000, text="x" * 2000)
    s.daemon.wait_log(rf"{TROUBLE}.*OOM")
    status = wait_in_trouble(s)
    assert "OOM" in str(status["redis"]) + str(status["workers"])
    s.db.config_set("maxmemory", 0)
    s.assert_all()
    s.daemon.wait_log(r"info .*redis.*again")


def test_read_only_replica_is_waited_out_until_it_is_promoted(lab):
    s = lab.system(events.make(100))
    s.assert_all()
    s.db.execute_command("REPLICAOF", "127.0.0.1", 9)  # no master answers: Redis keeps its data, and is read-only
    s.more(500)
    s.daemon.wait_log(rf"{TROUBLE}.*READONLY")
    wait_in_trouble(s)
    s.db.execute_command("REPLICAOF", "NO", "ONE")
    s.assert_all()


def test_coordinated_failover_is_followed_to_the_new_primary(lab):
    """The old primary keeps the connections open, and refuses every write. The name leads to the new one."""
    s = lab.system_behind_proxy(events.make(100), workers=2, cursor_interval="100ms")
    s.assert_all()
    replica = lab.redis(replicaof=f"127.0.0.1 {s.redis.port}")
    with replica.client() as db:
        wait_for(lambda: db.info("replication")["master_link_status"] == "up", "the replica to be in step")
        s.db.execute_command("FAILOVER")
        wait_for(lambda: db.info("replication")["role"] == "master", "the replica to be promoted")
    s.more(500)
    s.daemon.wait_log(rf"{TROUBLE}.*READONLY")
    s.proxy.target = ("127.0.0.1", replica.port)
    s.redis, s._db = replica, None
    s.assert_all()
    s.wait_cursor(s.events[-1].seq)
    status = s.daemon.wait_status(lambda status: status["redis"]["state"] == "ready", "to be well")
    assert status["rewinds"] == 0
    s.daemon.wait_log("info master.*redis: connected again")


def test_loading_redis_is_waited_out(lab):
    redis = lab.redis(aof=True)
    s = lab.system(events.make(6000), redis=redis)
    s.assert_all()
    redis.kill()
    s.more(500)
    redis.lines["key-load-delay"] = 1000  # microseconds a command; Redis answers after each 1024 commands
    redis.start(wait=False)

    def loading():
        try:
            with redis.client() as db:
                return db.info("persistence")["loading"] == 1
        except (redis_py.ConnectionError, redis_py.TimeoutError, OSError):
            return False

    wait_for(loading, "Redis to be loading")
    s.daemon.wait_log(rf"{TROUBLE}.*LOADING")
    s.db.config_set("key-load-delay", 0)
    redis.wait_ready()
    s.assert_all(strict=True)


def test_wrong_type_at_the_stream_key_is_a_clear_error_and_loses_nothing(lab):
    s = lab.system(events.make(300), start=False)
    s.db.set(stream.STREAM, "not a stream")
    s.daemon.start()
    s.daemon.wait_log(rf"{TROUBLE}.*WRONGTYPE")
    wait_in_trouble(s)
    assert s.db.get(stream.CURSOR) in (None, str(s.events[0].seq - 1))
    s.db.delete(stream.STREAM)
    s.assert_all()


def test_wrong_type_that_comes_in_the_middle_loses_nothing(lab):
    s = lab.system(events.make(300))
    s.assert_all()
    s.db.rename(stream.STREAM, "aside")
    s.db.lpush(stream.STREAM, "not a stream")
    fresh = s.more(300)
    s.daemon.wait_log(rf"{TROUBLE}.*WRONGTYPE")
    s.db.delete(stream.STREAM)
    stream.wait_seqs(s.db, fresh)
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, fresh)


def test_wrong_type_at_the_cursor_key_does_not_stop_the_events(lab):
    s = lab.system(events.make(100), start=False)
    s.db.lpush(stream.CURSOR, "not a string")
    s.daemon.start()
    s.daemon.wait_log(r"(warn|error) .*(firehose:python_cursor|WRONGTYPE)")
    s.db.delete(stream.CURSOR)
    s.assert_all()


# -- Back-pressure ------------------------------------------------------------------------------------------------------


def test_full_ring_stops_reading_the_relay_and_memory_stays_bounded(lab):
    s = lab.system(events.make(100), ring_size="10M", redis_reply_timeout="10m", worker_timeout="10m")
    s.assert_all()
    s.redis.freeze()
    s.more(15000, text="x" * 4000)  # about 70 MB
    full = s.daemon.wait_status(
        lambda st: st["ring"]["used_bytes"] > st["ring"]["size_bytes"] - 200_000, "to have a full ring", deadline=60
    )
    assert full["ring"]["used_bytes"] <= full["ring"]["size_bytes"]
    received = full["received"]
    hold_for(lambda: s.daemon.status()["received"] <= received + 50, 0.5, "the relay is not read while the ring is full")
    assert s.relay.connections[0].sent < 15000  # the rest waits at the relay; socket buffers hold some
    assert sum(map(resident_bytes, s.daemon.members())) < 160 << 20
    s.redis.thaw()
    s.assert_all(deadline=60)
    assert len(s.relay.connections) == 1


def test_full_ring_still_answers_control_and_signals(lab):
    s = lab.system(events.make(100), ring_size="10M", redis_reply_timeout="10m", shutdown_timeout="1s")
    s.assert_all()
    s.redis.freeze()
    s.more(6000, text="x" * 3000)
    s.daemon.wait_status(lambda st: st["ring"]["used_bytes"] > 5_000_000, "to fill its ring")
    s.daemon.signal(signal.SIGTERM)
    s.daemon.process.wait("firehosed to end with a full ring")
    wait_for(lambda: not s.daemon.members(), "workers to end")
    s.redis.thaw()


def test_full_ring_resumes_after_redis_was_killed(lab):
    redis = lab.redis(aof=True)
    s = lab.system(events.make(100), redis=redis, ring_size="10M")
    s.assert_all()
    redis.kill()
    s.more(5000, text="x" * 3000)
    s.daemon.wait_status(lambda st: st["ring"]["used_bytes"] > 9_000_000, "to fill its ring")
    redis.start()
    s.assert_all(strict=True, deadline=60)


def test_two_instances_with_different_keys_share_one_redis(lab):
    redis = lab.redis()

    def keys(name):
        kinds = ("stream", "cursor", "status", "progress", "owner", "dead_letters")
        return {f"{kind}_key": f"{name}:{kind}" for kind in kinds}

    a = lab.system(events.make(300, seed=1), redis=redis, **keys("a"))
    b = lab.system(events.make(300, 5000, seed=2), redis=redis, **keys("b"))
    for s, key in ((a, "a:stream"), (b, "b:stream")):
        stream.wait_seqs(s.db, s.events, key=key)
        s.daemon.wait_settled()
        stream.assert_delivered(s.db, s.events, key=key)


def test_batches_of_large_and_small_events_arrive_whole(lab):
    """A batch ends by its size or by its number of events."""
    made = []
    for i in range(400):
        size = 120_000 if i % 20 == 0 else 100
        made.append(events.post(events.FIRST_SEQ + i, events.repo(i % 7), "y" * size))
    s = lab.system(made, batch_size="64K", batch_events=16)
    s.assert_all()


def test_owner_key_that_is_gone_is_called_so_and_taken_again(lab):
    """As after an eviction. It is not another owner."""
    s = lab.system(events.make(50), workers=1)
    s.assert_all()
    s.db.delete("firehose:owner:0")
    s.more(50)
    s.assert_all()
    s.daemon.wait_log(r"EXEC was not executed: firehose:owner:0 is gone: somebody has deleted it, or Redis has evicted it")
    assert not s.daemon.log_lines("the owner has changed")
