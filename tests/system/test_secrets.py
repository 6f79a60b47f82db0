"""No password appears in a log, an answer, a key or a process title, at any log level, with or without failures."""

import json
import signal
import urllib.error
import urllib.request

import pytest

import events
from control import ctl
from firehosed import clean_environment, run
from ports import free_port

SECRETS = ["redis-s3cret", "s3cret-that-is-wrong", "relay-s3cret"]
ODD = "s3cret:with@odd/characters?#%"


def assert_silent(where, text):
    for secret in [*SECRETS, ODD]:
        assert secret not in text, f"{where} tells a password: {text[:2000]}"
    assert "s3cret" not in text, f"{where} tells a part of a password: {text[:2000]}"


def of_process(pid, *names):
    for name in names:
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                yield name, file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass


def everything_in(db):
    """Returns all keys of a Redis and their values, as text."""
    readers = {"string": db.get, "hash": db.hgetall, "stream": db.xrange, "list": lambda k: db.lrange(k, 0, -1)}
    return "\n".join(f"{key} {readers[db.type(key)](key)}" for key in db.keys("*"))


def ask_http(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.read().decode()


@pytest.mark.parametrize("level", ["debug", "info", "warn", "error"])
def test_passwords_are_told_nowhere(lab, level):
    redis = lab.redis(password=ODD if level == "info" else SECRETS[0])
    port = free_port()
    s = lab.system(events.make(100), redis=redis, start=False, log_level=level, http_listen=f"127.0.0.1:{port}")
    s.daemon.write_config(relay=s.relay.url.replace("://", f"://somebody:{SECRETS[2]}@"))
    tested = run("firehosed", "-t", "-c", s.daemon.config)
    assert_silent("-t", tested.stdout + tested.stderr)
    if tested.returncode != 0:  # a relay's URL may have no user and password: firehosed refuses it, and says only that
        s.daemon.write_config(relay=s.relay.url)
    s.daemon.start()
    s.assert_all()

    # Without failures.
    commands = [["status"], ["workers"], ["config"], ["config", "redis"], ["cursor"], ["reload"], ["nonsense"]]
    for command in commands:
        for form in ([], ["--json"]):
            done = ctl(s.daemon, *command, *form)
            assert_silent(" ".join(command), done.stdout + done.stderr)
    for path in ["/", "/metrics", "/healthz", "/readyz", "/nothing"]:
        assert_silent(path, ask_http(port, path))
    for pid in s.daemon.members():
        for name, text in of_process(pid, "cmdline", "comm", "status", "stat"):
            assert_silent(f"/proc/{pid}/{name}", text)
    assert_silent("redis", everything_in(s.db))
    assert_silent("the names of connections", str([c["name"] for c in redis.daemon_clients()]))

    # With failures: a password that is refused, a Redis that is away, files that are wrong where the password stands.
    s.daemon.reload(redis=redis.url(password=SECRETS[1]))
    s.daemon.wait_status(lambda st: "WRONGPASS" in json.dumps(st), "to be refused")
    assert_silent("status", json.dumps(s.daemon.status()))
    for path in ["/", "/readyz"]:
        assert_silent(path, ask_http(port, path))
    good = s.daemon.config.read_text()
    for wrong in WRONG_LINES:
        s.daemon.config.write_text(good + wrong)
        answer = ctl(s.daemon, "reload")
        assert answer.returncode != 0, wrong
        assert_silent(wrong, answer.stdout + answer.stderr)
        tested = run("firehosed", "-t", "-c", s.daemon.config)
        assert tested.returncode == 78
        assert_silent(wrong, tested.stdout + tested.stderr)
        s.daemon.signal(signal.SIGHUP)
    s.daemon.reload(redis=redis.url())
    redis.kill()
    s.daemon.wait_status(lambda st: "refused" in json.dumps(st), "to miss Redis")
    assert_silent("status", json.dumps(s.daemon.status()))
    redis.start()
    s.more(50)
    s.daemon.stop()
    assert_silent("the log", s.daemon.log())


WRONG_LINES = [
    "redis redis://:redis-s3cret@127.0.0.1:1\n",
    "redsi = redis://:redis-s3cret@127.0.0.1:1\n",
    "redis://:redis-s3cret@127.0.0.1:1 = x\n",
    "workers = redis://:redis-s3cret@127.0.0.1:1\n",
    "relay_ca_file = redis://:redis-s3cret@127.0.0.1/" + "x" * 1100 + "\n",
    '"redis://:redis-s3cret@127.0.0.1:1"\n',
]

WRONG_URLS = [
    "redis://:redis-s3cret@127.0.0.1:port",
    "redis://:redis-s3cret@127.0.0.1:99999",
    "redis://:redis-s3cret@",
    "redis://:redis-s3cret@[::1",
    "redis://:redis-s3cret%zz@127.0.0.1",
    "redis://:redis-s3cret@127.0.0.1/notanumber",
    "redis//:redis-s3cret@127.0.0.1",
    "http://:redis-s3cret@127.0.0.1",
    "redis://:redis-s3cret@127.0.0.1 oops",
    "redis://:" + "redis-s3cret" * 100 + "@127.0.0.1",
    "redis://user:redis-s3cret@x@host with space/",
    "redis-s3cret",
]


@pytest.mark.parametrize("url", WRONG_URLS, ids=range(len(WRONG_URLS)))
@pytest.mark.parametrize("key", ["redis", "relay"])
@pytest.mark.parametrize("by", ["file", "environment", "alias"])
def test_wrong_url_is_refused_without_its_password(lab, url, key, by):
    s = lab.system(start=False)
    environment = clean_environment()
    if by == "file":
        s.daemon.write_config(**{key: url})
    else:
        environment[f"FIREHOSED_{key.upper()}" if by == "environment" else f"{key.upper()}_URL"] = url
    done = run("firehosed", "-t", "-c", s.daemon.config, environment=environment)
    assert done.returncode == 78, done.stdout
    assert_silent(url, done.stdout + done.stderr)
    assert key in done.stderr
