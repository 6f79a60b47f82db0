"""The HTTP endpoint: metrics, health, the status page, and hostile clients."""

import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

import events
import frames
import stream
from control import ctl
from endpoint import Endpoint
from events import aged
from firehosed import is_sanitized, run
from ports import free_port
from processes import open_files, resident_bytes
from waiting import wait_for

@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def endpoint(port):
    return Endpoint(port)


def open_socket(port, data=b""):
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    s.sendall(data)
    return s


# -- Where it listens ------------------------------------------------------------------------------------------


def test_nothing_listens_by_default(lab):
    s = lab.system()
    s.daemon.wait_connected()
    files = f"/proc/{s.daemon.master_pid()}/fd"
    inodes = {os.readlink(f"{files}/{n}") for n in os.listdir(files)}
    tcp = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
    assert not [row for row in tcp if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]


def test_a_port_alone_is_on_loopback(lab, port, endpoint):
    lab.system(http_listen=port)
    assert endpoint.ask("/healthz")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)  # a wildcard would answer here


@pytest.mark.parametrize("place, there", [("127.0.0.2:{}", "127.0.0.2"), ("localhost:{}", "127.0.0.1"),
                                          ("*:{}", "127.0.0.3"), ("[::1]:{}", "::1")])  # fmt: skip
def test_places_to_listen_on(lab, port, place, there):
    if ":" in there and not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("no IPv6 here")
    lab.system(http_listen=place.format(port))
    socket.create_connection((there, port), timeout=20).close()


@pytest.mark.parametrize("bad", ["nonsense", "0", "65536", "127.0.0.1", "example.com:80", "127.0.0.1:80x", ":-1"])
def test_a_wrong_place_is_told_with_file_and_line(lab, bad):
    daemon = lab.firehosed(start=False, relay="ws://127.0.0.1:1", redis="redis://127.0.0.1:1", http_listen=bad)
    done = run("firehosed", "-f", "-c", daemon.config)
    assert done.returncode == 78
    assert re.search(rf"firehosed\.conf:\d+: http_listen: '{re.escape(bad)}'", done.stderr)


def test_a_place_that_is_taken_is_said_and_ends_the_start(lab, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        daemon = lab.firehosed(start=False, relay="ws://127.0.0.1:1", redis="redis://127.0.0.1:1", http_listen=port)
        done = run("firehosed", "-f", "-c", daemon.config)
    assert done.returncode != 0
    assert re.search(rf"cannot start: http_listen {port}: cannot listen there: Address already in use", done.stderr)


# -- What is answered ------------------------------------------------------------------------------------------


def test_each_page_has_its_type_and_is_not_cached(lab, port, endpoint):
    lab.system(http_listen=port)
    for path, kind in (("/", "text/html; charset=utf-8"), ("/status.json", "application/json"),
                       ("/history.json", "application/json"), ("/metrics", "text/plain"),
                       ("/healthz", "application/json"), ("/readyz", "application/json")):  # fmt: skip
        _, headers, body = endpoint.ask(path)
        assert headers["Content-Type"].startswith(kind), path
        assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
        assert len(body) == int(headers["Content-Length"]) or "html" in kind
    status, headers, _ = endpoint.ask("/metrics?name=x")
    assert status == 200


def test_only_get_and_head_are_taken(lab, port, endpoint):
    lab.system(http_listen=port)
    status, _, body = endpoint.ask("/metrics", "HEAD")
    assert (status, body) == (200, "")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        status, headers, _ = endpoint.ask("/metrics", method, b"x" * 100 if method in ("POST", "PUT") else None)
        assert (status, headers["Allow"]) == (405, "GET, HEAD"), method
    for path in ("/nothing", "/../etc/passwd", "//", "/metrics/", "/%2e%2e/"):
        assert endpoint.ask(path)[0] == 404, path


def test_status_json_is_what_firehosectl_says(lab, port, endpoint):
    s = lab.system(events.make(200), http_listen=port)
    s.assert_all()
    over_http, over_socket = endpoint.json("/status.json")[1], s.daemon.status()
    assert set(over_http) == set(over_socket)
    for key in ("pid", "received", "written", "cursor", "kinds"):
        assert over_http[key] == over_socket[key]
    ten, hour, day = [endpoint.json(f"/history{name}.json")[1] for name in ("", "-1h", "-24h")]
    assert [(h["interval_s"], len(h["events"])) for h in (ten, hour, day)] == [(1, 600), (10, 360), (240, 360)]
    assert all(set(h) == set(ten) and all(len(h[name]) == len(h["events"]) for name in set(h) - {"interval_s"})
               for h in (ten, hour, day))  # fmt: skip


# -- Metrics ---------------------------------------------------------------------------------------------------


def test_metrics_are_what_promtool_likes(lab, port, endpoint):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (Debian package: prometheus)")
    s = lab.system(events.make(500), http_listen=port)
    s.assert_all()
    s.daemon.wait_status(lambda s: s["lag_s"] is not None and s["redis"]["stream_length"] is not None, "to know all")
    text = endpoint.ask("/metrics")[2]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr


def test_metrics_and_status_agree(lab, port, endpoint):
    s = lab.system(events.make(1000), http_listen=port, workers=3)
    s.assert_all()
    s.daemon.wait_status(lambda s: s["lag_s"] is not None and s["redis"]["stream_length"], "to know all")
    status, (series, types) = s.daemon.status(), endpoint.metrics()
    assert series['firehosed_events_total{outcome="written"}'] == status["written"]
    assert series['firehosed_events_total{outcome="filtered"}'] == status["filtered"]
    for kind, count in status["kinds"].items():
        assert series[f'firehosed_events_received_total{{kind="{kind}"}}'] == count
    for c in status["collections"]:
        assert series[f'firehosed_collection_commits_total{{collection="{c["name"]}"}}'] == c["events"]
    assert sum(v for k, v in series.items() if k.startswith("firehosed_worker_events_total")) == status["received"]
    assert series["firehosed_cursor"] == int(status["cursor"])
    assert series["firehosed_workers"] == 3
    assert series["firehosed_relay_connected"] == series["firehosed_redis_up"] == series["firehosed_healthy"] == 1
    assert series["firehosed_lag_seconds"] > 1e6  # the events of these tests are old
    assert abs(series["firehosed_last_commit_timestamp_seconds"] - time.time()) < 300
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in types.items())


def test_counters_never_go_back_whatever_becomes_of_workers_and_redis(lab, port, endpoint):
    s = lab.system(events.make(800, repos=200), http_listen=port, workers=4)
    s.assert_all()
    before = {}

    def look():
        nonlocal before
        series, types = endpoint.metrics()
        now = {k: v for k, v in series.items() if types[k.split("{")[0]] == "counter"}
        gone = set(before) - set(now)
        assert not gone, f"vanished: {gone}"
        fallen = {k: (v, now[k]) for k, v in before.items() if now[k] < v}
        assert not fallen, f"went back: {fallen}"
        before = now
        time.sleep(0.11)  # the endpoint caches a page for a tenth of a second

    look()
    pids = s.daemon.wait_workers(4)
    os.kill(pids[3], signal.SIGKILL)
    s.daemon.wait_worker_replaced(3, pids[3])
    look()
    for workers in (1, 6, 2):
        s.daemon.reload(workers=workers)
        s.daemon.wait_workers(workers)
        s.more(300)
        s.wait_delivered()
        look()
    assert before['firehosed_worker_restarts_total{worker="3"}'] == 1
    old, cursor = s.db.hgetall("firehose:progress"), s.db.get(stream.CURSOR)
    s.more(200)
    s.assert_all()
    s.db.hset("firehose:progress", mapping={**old, "cursor": cursor})  # as a replica that was behind
    s.db.set(stream.CURSOR, cursor)
    s.redis.kill_daemon_clients()
    s.daemon.wait_status(lambda s: s["rewinds"] > 0 and s["state"] == "running", "to read again")
    s.more(100)
    s.wait_delivered()
    s.daemon.wait_settled()
    look()
    received = sum(v for k, v in before.items() if k.startswith("firehosed_events_received_total"))
    became = sum(v for k, v in before.items() if k.startswith("firehosed_events_total"))
    assert received == became + before["firehosed_events_discarded_total"]


def test_hostile_names_are_safe_as_labels_and_bounded(lab, port, endpoint):
    paths = [f"com.example.n{n}.thing/x" for n in range(400)] + ['a.b."} 1\n/x', "a.b.\\/x", "a.b.é/x"]
    made = [events.other(frames.commit(n, events.repo(1), [frames.delete(p)]), n, events.repo(1))
            for n, p in enumerate(paths, 1)]  # fmt: skip
    s = lab.system(made, http_listen=port)
    s.daemon.wait_status(lambda s: s["received"] == len(made) and s["uptime_s"] > 3, "to be through")
    series, _ = endpoint.metrics()  # each line is of the form that SAMPLE wants
    assert len([k for k in series if k.startswith("firehosed_collection_commits_total")]) <= 60


# -- Health ----------------------------------------------------------------------------------------------------


def test_ready_means_connected_and_committing(lab, port, endpoint):
    relay = lab.relay(start=False)
    s = lab.system(relay=relay, http_listen=port)
    status, said = endpoint.json("/readyz")
    assert status == 503 and said["status"] == "not ready"
    assert any("relay" in reason for reason in said["reasons"])
    assert endpoint.json("/healthz")[0] == 200
    asked = ctl(s.daemon, "ready")
    assert asked.returncode == 1 and re.match(r"not ready\n  relay: ", asked.stdout)
    assert json.loads(ctl(s.daemon, "ready", "--json").stdout)["status"] == "not ready"
    assert ctl(s.daemon, "healthy").returncode == 0
    relay.start()
    endpoint.wait_ready()
    asked = ctl(s.daemon, "ready")
    assert (asked.returncode, asked.stdout) == (0, "ready\n")
    assert endpoint.json("/readyz")[1]["reasons"] == []
    assert endpoint.metrics()[0]["firehosed_ready"] == 1
    relay.stop()
    endpoint.wait_ready(False)
    assert any("relay" in reason for reason in endpoint.json("/readyz")[1]["reasons"])
    relay.start()
    endpoint.wait_ready()
    s.more(10)
    s.assert_all()


def test_without_redis_it_is_well_but_not_ready(lab, port, endpoint):
    s = lab.system(events.make(50), http_listen=port)
    s.assert_all()
    endpoint.wait_ready()
    s.redis.kill()
    endpoint.wait_ready(False)
    assert any("redis" in reason for reason in endpoint.json("/readyz")[1]["reasons"])
    asked = ctl(s.daemon, "ready")
    assert asked.returncode == 1 and re.match(r"not ready\n  redis: ", asked.stdout)
    status, said = endpoint.json("/healthz")
    assert status == 200 and said["status"] == "ok"
    wait_for(lambda: any("redis" in note for note in endpoint.json("/healthz")[1]["notes"]), "Redis to be mentioned")
    asked = ctl(s.daemon, "healthy")
    assert asked.returncode == 0 and re.match(r"ok\n  note: redis: ", asked.stdout)
    s.redis.start()
    endpoint.wait_ready()


def test_frames_that_are_not_committed_make_it_unready(lab, port, endpoint):
    s = lab.system(events.make(50), http_listen=port)
    s.assert_all()
    endpoint.wait_ready()
    s.redis.freeze()
    s.more(50)
    endpoint.wait_ready(False)
    assert any("nothing committed for" in reason for reason in endpoint.json("/readyz")[1]["reasons"])
    s.redis.thaw()
    endpoint.wait_ready()
    s.assert_all()


def test_a_worker_that_keeps_dying_is_unhealthy(lab, port, endpoint):
    s = lab.system(http_listen=port, workers=2)
    s.daemon.wait_connected()
    for _ in range(3):
        pid = s.daemon.wait_workers(2)[1]
        os.kill(pid, signal.SIGKILL)
        s.daemon.wait_worker_replaced(1, pid)
    wait_for(lambda: endpoint.ask("/healthz")[0] == 503, "healthz to say no")
    said = endpoint.json("/healthz")[1]
    assert said["status"] == "failing"
    assert any(re.match(r"worker 1 keeps dying \(\d+ restarts", reason) for reason in said["reasons"])
    assert endpoint.metrics()[0]["firehosed_healthy"] == 0
    asked = ctl(s.daemon, "healthy")
    assert asked.returncode == 1 and "failing\n  worker 1 keeps dying" in asked.stdout


# -- Clients who mean no good ----------------------------------------------------------------------------------


def test_silent_clients_keep_nobody_waiting_and_do_not_pile_up(lab, port, endpoint):
    s = lab.system(events.make(100), http_listen=port)
    s.assert_all()
    files = len(open_files(s.daemon.master_pid()))
    silent = [open_socket(port, b"GET / HT" if n % 2 else b"") for n in range(200)]
    assert endpoint.ask("/healthz")[0] == 200
    wait_for(lambda: len(open_files(s.daemon.master_pid())) <= files + 40, "the oldest to be shown out")
    s.more(100)
    s.assert_all()
    for client in silent:
        client.close()
    wait_for(lambda: len(open_files(s.daemon.master_pid())) <= files + 2, "all to be forgotten")


@pytest.mark.slow
def test_a_client_that_trickles_is_shown_out_in_the_end(lab, port, endpoint):
    s = lab.system(http_listen=port)
    client = open_socket(port, b"GET /metrics HTTP/1.1\r\nX: ")
    began = time.monotonic()
    with pytest.raises(OSError):  # a reset, or a broken pipe
        while time.monotonic() - began < 110:
            client.sendall(b"x")
            time.sleep(0.5)
        pytest.fail("it is still there")
    client.close()
    assert endpoint.ask("/healthz")[0] == 200
    assert s.daemon.is_running()


def test_a_client_that_never_reads_costs_no_memory(lab, port, endpoint):
    s = lab.system(http_listen=port)
    client = open_socket(port)
    client.settimeout(1)
    try:
        for _ in range(2000):
            client.sendall(b"GET /history.json HTTP/1.1\r\n\r\n" * 100)
    except OSError:
        pass
    with open(f"/proc/{s.daemon.master_pid()}/status") as status:
        resident_kb = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
    assert resident_kb < 100_000
    client.close()
    assert endpoint.ask("/healthz")[0] == 200


def test_garbage_is_refused(lab, port, endpoint):
    s = lab.system(events.make(50), http_listen=port)
    for garbage in (b"\0" * 100_000, b"\x16\x03\x01" + b"\xff" * 500,
                    b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 10_000,
                    b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b"\r\n" * 1000,
                    b"FOO / HTTP/1.1\r\n\r\n", b"GET http://[::1/ HTTP/1.1\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff0\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000):  # fmt: skip
        answer = b""
        with open_socket(port) as client:
            try:
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
                while part := client.recv(65536):
                    answer += part
            except OSError:
                pass
        assert not answer.startswith(b"HTTP/1.1 200"), garbage[:60]
    assert endpoint.ask("/healthz")[0] == 200
    s.assert_all()


def test_many_askers_do_not_hold_events_up(lab, port, endpoint):
    s = lab.system(http_listen=port)
    askers = [open_socket(port) for _ in range(10)]
    made = s.more(2000)
    for asker in askers:
        asker.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 200)
    s.wait_delivered()
    assert len(made) == 2000
    for asker in askers:
        asker.close()
    s.assert_all()


def test_it_stops_in_order_with_clients_connected(lab, port):
    s = lab.system(events.make(50), http_listen=port)
    s.assert_all()
    clients = [open_socket(port, b"GET /metrics HTTP/1.1\r\n\r\n") for _ in range(5)]
    s.daemon.stop()
    for client in clients:
        client.close()


# -- The status page -------------------------------------------------------------------------------------------


def test_the_page_is_one_file_and_runs_only_what_is_in_it(lab, port, endpoint):
    lab.system(http_listen=port)
    _, headers, page = endpoint.ask("/")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        inside = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.S)
        assert len(inside) == 1 and page.count(f"<{tag}") == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert not re.search(r'(src|href)="(https?:)?//', page) and "@import" not in page
    assert " style=" not in page and " onclick" not in page


@pytest.fixture
def browser():
    selenium = pytest.importorskip("selenium", reason="selenium is not installed (Debian package: python3-selenium)")
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no headless browser (Debian packages: chromium chromium-driver)")
    options = Options()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = selenium.webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def resize(browser, width, height):
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def text(browser, name):
    return browser.find_element("id", name).text


def test_the_page_shows_what_goes_on(lab, port, browser):
    s = lab.system(aged(300, 1, 0.1) + events.make(500, 1000), http_listen=port, workers=2)
    s.assert_all()
    s.relay.append(aged(200, 40_000_000_000, 0.1))
    s.wait_delivered()
    resize(browser, 1200, 900)
    browser.get(f"http://127.0.0.1:{port}/")
    wait_for(lambda: text(browser, "state") == "live", lambda: f"the page to say so: {text(browser, 'state')!r}")
    assert text(browser, "written") == str(sum(e.is_delivered for e in s.events))
    assert "app.bsky.feed.like" in text(browser, "collections")
    assert text(browser, "workers").count("ready") == 2
    assert s.relay.authority in text(browser, "about")
    curve = browser.find_element("css selector", ".events .curve").get_attribute("d")
    assert curve.count("L") > 0
    for width in (1200, 760, 390, 320):
        resize(browser, width, 800)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert text(browser, "lag-now").endswith(" s") and "identity" in text(browser, "kinds-legend")
    for chart in ("ring", "trip", "kind", "dead"):
        assert "L" in browser.find_element("css selector", f"#{chart}-plot .area").get_attribute("d"), chart
    for button in browser.find_elements("css selector", "#spans button")[1:]:
        button.click()
        first = {"1 h": "60 min ago", "24 h": "24.0 h ago"}[button.text]
        wait_for(lambda: browser.find_element("css selector", ".lag .first").text == first, f"the charts of {first}")
    assert text(browser, "others") == "no dead letters"
    s.relay.append([events.other(b"\x00garbage")])
    wait_for(lambda: text(browser, "others").startswith("1 dead letter, "), "the rate of dead letters")
    assert browser.find_element("id", "others").get_attribute("class") in ("warn", "bad")
    written = text(browser, "written")
    s.relay.append(aged(50, 50_000_000_000, 0.1))
    wait_for(lambda: text(browser, "written") != written, "the figures to move")
    s.redis.kill()
    wait_for(lambda: "Redis" in text(browser, "state"), "the page to say that Redis is away")
    assert "redis" in text(browser, "reasons")
    assert "Connection refused" in text(browser, "errors") or "closed by the server" in text(browser, "errors")
    s.redis.start()
    s.daemon.stop()
    wait_for(lambda: text(browser, "state") == "no answer", "the page to say that nobody answers")
    log = [line for line in browser.get_log("browser") if "Failed to load resource" not in line["message"]]
    assert log == [], "the console is quiet, and the policy is kept"


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer keeps freed memory")
def test_clients_that_ask_on_and_do_not_read_cost_little_memory(lab, port, endpoint):
    s = lab.system(events.make(10), http_listen=port)
    s.assert_all()
    endpoint.wait_ready()
    before = most = resident_bytes(s.daemon.process.pid)
    sent = 0
    crowd = []
    for _ in range(8):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.setblocking(False)
        crowd.append(client)

    def all_are_full():
        """Asks on, until no connection takes more, or each had 40 MB."""
        nonlocal most, sent
        took = 0
        for client in crowd:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                took += client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 4000)
        sent += took
        most = max(most, resident_bytes(s.daemon.process.pid))
        return took == 0 or sent > len(crowd) * (40 << 20)

    wait_for(all_are_full, "the connections to be full")
    assert most - before < 32 << 20, f"{(most - before) >> 20} MB for {sent >> 20} MB of requests"
    for client in crowd:
        client.close()
    endpoint.wait_ready()
