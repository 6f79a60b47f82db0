"""peers.py: other programs at the same work, from scripts/bench-peers/. Each is built with its own package manager. The
bench compares its entries with those of firehosed, and measures it in the same way."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.load import STREAM_MAX_LEN, WARM_UP_SECONDS, compare
from bench.table import Column, progress
from rig import ROOT, STREAM, wait_for

SOURCES = ROOT / "scripts" / "bench-peers"
INSTALL_SECONDS = 900
CHECK_EVENTS = 2_000
SLOW_START_SECONDS = 60
WARM_UP_EVENTS = 30_000
SLOW_WARM_UP_SECONDS = 30


class Missing(Exception):
    """This machine cannot build the peer. The text is the reason."""


# -- Building ----------------------------------------------------------------------------------------------------


def build_python(place):
    """Uses /usr/bin/python3, as the rest of the project does, and not the first Python in PATH."""
    run(place, "/usr/bin/python3", "-m", "venv", place / "venv")
    run(place, place / "venv/bin/pip", "install", "--quiet", "--require-virtualenv", "-r", place / "requirements.txt")
    return [place / "venv/bin/python", place / "peer.py"]


def build_node(place):
    run(place, "npm", "ci", "--silent")
    return ["node", place / "peer.mjs"]


def build_go(place):
    run(place, "go", "build", "-o", place / "peer", ".")
    return [place / "peer"]


PEERS = {"python": build_python, "node": build_node, "go": build_go}


def run(place, *command):
    name = " ".join(str(part) for part in command[:2])
    try:
        done = subprocess.run(
            [str(part) for part in command], cwd=place, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except FileNotFoundError:
        raise Missing(f"there is no {command[0]}") from None
    except subprocess.TimeoutExpired:
        raise Missing(f"{name}: not done after {INSTALL_SECONDS} s") from None
    if done.returncode != 0:
        raise Missing(f"{name}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")


def prepare(name):
    """Builds in the build folder if a source has changed, and returns the command."""
    place = Path(os.environ["FIREHOSED_BUILD"]) / "peers" / name
    sources = {path.name: path.read_bytes() for path in sorted((SOURCES / name).iterdir())}
    stamp = place / "built.json"
    if stamp.exists() and all(
        (place / file).read_bytes() == text for file, text in sources.items() if (place / file).exists()
    ):
        return json.loads(stamp.read_text())
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for file, text in sources.items():
        (place / file).write_bytes(text)
    print(f"Building the peer in {name} …", file=sys.stderr)
    command = [str(part) for part in PEERS[name](place)]
    stamp.write_text(json.dumps(command))
    return command


# -- Running -----------------------------------------------------------------------------------------------------


def start_peer(rig, command, max_len):
    authority = str(rig.authority.cert)
    environment = {**os.environ, "SSL_CERT_FILE": authority, "NODE_EXTRA_CA_CERTS": authority}
    rig.start_peer([*command, rig.relay_url, rig.redis.url(), STREAM, str(max_len)], environment)
    wait_for(
        lambda: rig.added() > 0,
        lambda: f"the first event of a peer, which says:\n{rig.peer.tail()}",
        SLOW_START_SECONDS,
    )


def entries(rig, capture, begin, events):
    """Returns seq → (type, data) of all entries that the program writes of so many events."""
    try:
        rig.start_redis()
        rig.start_relay("--loop", "--count", str(events), source=capture.path)
        begin()
        last, now = -1, 0
        while last < now:
            last = now
            time.sleep(1)
            now = rig.added()
        return {entry["seq"]: (entry["type"], json.loads(entry["data"])) for _, entry in rig.db.xrange(STREAM)}
    finally:
        rig.stop_all()


def check(rig, capture, name, command):
    """Asserts that the entries equal those of firehosed as JSON values. Their text may differ."""
    ours = entries(rig, capture, lambda: rig.start_firehosed(workers=2, stream_max_len=0), CHECK_EVENTS)
    theirs = entries(rig, capture, lambda: start_peer(rig, command, 1_000_000), CHECK_EVENTS)
    differ = [seq for seq in ours if theirs.get(seq) != ours[seq]]
    assert len(theirs) == len(ours), f"{name}: {len(theirs):,} entries of {len(ours):,}"
    assert not differ, f"{name}: entry {differ[0]} is {theirs.get(differ[0])}\nfirehosed's is {ours[differ[0]]}"
    return len(theirs)


def warm_up(rig):
    """Waits for a number of events and for a time. Some programs compile while they run, and a slow one needs
    longer."""
    started = time.monotonic()
    time.sleep(WARM_UP_SECONDS)
    while rig.added() < WARM_UP_EVENTS and time.monotonic() - started < SLOW_WARM_UP_SECONDS:
        time.sleep(0.1)


def measure(rig, options, capture, command):
    try:
        rig.start_redis()
        rig.start_relay("--loop", source=capture.path)
        start_peer(rig, command, STREAM_MAX_LEN)
        warm_up(rig)
        before = rig.usage()
        time.sleep(options.seconds)
        return compare(before, rig.usage(), capture)
    finally:
        rig.stop_all()


def peers(rig, options, capture, report):
    """Measures the other programs, after a check of each."""
    report.title(
        "Others at the same work",
        "Same relay over TLS, same frames, same Redis; each one's entries are those of firehosed.",
    )
    columns = [
        Column("events/s", "events_per_second"),
        Column("CPU µs", "cpu_peer", ".2f"),
        Column("redis µs", "cpu_redis", ".2f"),
        Column("PSS MB", "pss_megabytes", ".1f"),
        Column("entries checked", "checked"),
    ]
    rows, skipped = {}, {}
    for name in PEERS:
        try:
            command = prepare(name)
        except Missing as why:
            skipped[name] = str(why)
            continue
        checked = check(rig, capture, name, command)
        rows[name] = []
        for turn in range(options.runs):
            progress(f"peers: {name}, run {turn + 1} of {options.runs}")
            rows[name].append({**measure(rig, options, capture, command), "checked": checked})
    progress("")
    table = report.table("", columns)
    results = [{"peer": name, **table.row(name, measured)} for name, measured in rows.items()]
    for name, why in skipped.items():
        report.note(f"{name}: skipped: {why}")
        results.append({"peer": name, "skipped": why})
    return results
