"""parts.py: the decoder, the latency, and the floor, which is the work that no implementation can avoid."""

import json
import re
import resource
import time

from bench.load import compare, start
from bench.table import Column, output, progress
from rig import STREAM, program

RATE = [Column("events/s", "events_per_second"), Column("CPU µs", "microseconds", ".2f")]
ENTRY_BYTES = 560  # mean size of the data of a real entry; the whole command has about 700
BENCHMARK_REQUESTS = 1_000_000
PIPELINE = 256


def floor(rig, options, capture, report):
    """The cost of the bytes, in and out, without firehosed. Each step runs alone in a process. The last rows are sums:
    the steps that move and check bytes, and the same with the step that makes JSON of a frame (`encode` of the
    decoder)."""
    report.title("The floor", "CPU by event of a process that does this and nothing else.")
    encodes = []
    runs = {name: [] for name in ("TLS read", "plain read", "SHA-256 of records", "XADD: Redis", "XADD: sender")}
    for turn in range(options.runs):
        progress(f"floor: run {turn + 1} of {options.runs}")
        runs["TLS read"].append(read_floor(rig, options, capture, tls=True))
        runs["plain read"].append(read_floor(rig, options, capture, tls=False))
        decoded = decode(capture)
        runs["SHA-256 of records"].append(decoded["sha256"])
        encodes.append(decoded["encode"])
        for role, run in benchmark_xadd(rig).items():
            runs[f"XADD: {role}"].append(run)
    progress("")
    for name, middle in (("read + hash + send", runs["SHA-256 of records"]), ("read + encode + send", encodes)):
        parts = zip(runs["TLS read"], middle, runs["XADD: sender"])
        runs[name] = [{"microseconds": sum(run["microseconds"] for run in part)} for part in parts]
    table = report.table("", RATE)
    return [{"what": what, **table.row(what, measured)} for what, measured in runs.items()]


def read_floor(rig, options, capture, *, tls):
    try:
        rig.start_relay("--loop", source=capture.path, tls=tls)
        found = json.loads(
            output(program("tests/tools/read-floor"), rig.relay_url, rig.authority.cert, options.seconds)
        )
    finally:
        rig.stop_all()
    events = found["bytes"] / capture.mean_wire_bytes
    return {"events_per_second": events / found["seconds"], "microseconds": found["cpu_seconds"] * 1e6 / events}


def benchmark_xadd(rig):
    """Pipelined XADDs of the same size by redis-benchmark: the CPU time of Redis and of the sender."""
    command = [
        "XADD",
        STREAM,
        "MAXLEN",
        "~",
        "100000",
        "*",
        "type",
        "commit",
        "data",
        "x" * ENTRY_BYTES,
        "seq",
        "31527015322",
    ]
    try:
        redis = rig.start_redis()
        before, sender, started = rig.redis_cpu(), children_cpu(), time.monotonic()
        output("redis-benchmark", "-p", redis.port, "-n", BENCHMARK_REQUESTS, "-P", PIPELINE, "-c", "1", "-q", *command)
        seconds = time.monotonic() - started
        server, sender = rig.redis_cpu() - before, children_cpu() - sender
    finally:
        rig.stop_all()
    rate = {"events_per_second": BENCHMARK_REQUESTS / seconds}
    return {
        role: {**rate, "microseconds": cpu * 1e6 / BENCHMARK_REQUESTS}
        for role, cpu in (("Redis", server), ("sender", sender))
    }


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def decoder(rig, options, capture, report):
    """The cost of the atproto room alone, on one core and without I/O."""
    report.title(
        "Decoder alone, one core",
        "`peek`: the master's look at a frame; `encode`: envelope, CAR, hash of the record, JSON; "
        "`encode-all`: with every block hashed.",
    )
    runs = {}
    for turn in range(options.runs):
        progress(f"decoder: run {turn + 1} of {options.runs}")
        for what, run in decode(capture).items():
            runs.setdefault(what, []).append(run)
    progress("")
    table = report.table("", [Column("frames/s", "events_per_second"), Column("µs", "microseconds", ".2f")])
    return [{"what": what, **table.row(what, measured)} for what, measured in runs.items()]


def decode(capture):
    rounds = max(1, round(200_000 / capture.count))
    text = output(program("tests/tools/bench-decoder"), rounds, capture.path)
    found = re.findall(r"^(\S+)\s+(\d+) frames/s", text, re.M)
    assert found, "tests/tools/bench-decoder said nothing"
    return {what: {"events_per_second": float(rate), "microseconds": 1e6 / float(rate)} for what, rate in found}


def latency(rig, options, capture, report):
    """The time from the write of the relay to the entry at a reader in XREAD, at a steady rate."""
    report.title(
        "Latency: relay's send → entry at a reader of the stream, µs",
        "4 workers. The floor is one process that sends plain XADDs at the same rate, and the same reader. "
        "Redis' CPU is with that of serving the reader.",
    )
    columns = [
        Column(title, key)
        for title, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("max", "max"), ("events", "count"))
    ]
    columns += [Column("both CPU µs", "cpu_firehosed", ".1f"), Column("redis CPU µs", "cpu_redis", ".1f")]
    table = report.table("events/s", columns)
    results = []
    for rate in options.rates:
        measured, floors = [], []
        for turn in range(options.runs):
            progress(f"latency: {rate:,} events/s, run {turn + 1} of {options.runs}")
            measured.append(run_latency(rig, options, capture, rate))
            floors.append(run_latency_floor(rig, options, rate))
        progress("")
        results.append({"rate": rate, **table.row(f"{rate:,}", measured)})
        results.append({"rate": rate, "floor": True, **table.row(f"{rate:,}, the floor", floors)})
    return results


def run_latency(rig, options, capture, rate):
    stamps = rig.directory / "stamps"
    try:
        start(rig, capture, "--rate", str(rate), "--stamp-file", str(stamps), workers=4)
        before = rig.usage()
        found = json.loads(
            output(program("tests/tools/stream-latency"), rig.redis.socket, STREAM, stamps, options.seconds)
        )
        used = compare(before, rig.usage(), capture)
    finally:
        rig.stop_all()
    assert found["unknown"] == 0, f"{found['unknown']} entries whose sending was not noted"
    return {**found, "cpu_firehosed": used["cpu_firehosed"], "cpu_redis": used["cpu_redis"]}


def run_latency_floor(rig, options, rate):
    try:
        rig.start_redis()
        return json.loads(
            output(
                program("tests/tools/stream-latency"),
                rig.redis.socket,
                STREAM,
                "--floor",
                rate,
                options.seconds,
                ENTRY_BYTES,
            )
        )
    finally:
        rig.stop_all()
