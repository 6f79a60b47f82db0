"""load.py: a real relay over TLS → firehosed → Redis, under load."""

import time

from bench.table import Column, progress
from rig import wait_for

STREAM_MAX_LEN = 100_000  # Redis stays small, however long the run takes
WARM_UP_SECONDS = 1.5
POLL_SECONDS = 0.05

CPU = [
    Column("master µs", "cpu_master", ".2f"),
    Column("workers µs", "cpu_workers", ".2f"),
    Column("both µs", "cpu_firehosed", ".2f"),
    Column("redis µs", "cpu_redis", ".2f"),
    Column("relay µs", "cpu_relay", ".2f"),
]


def start(rig, capture, *relay_arguments, **settings):
    """Starts all three, and returns when the first event is in the stream."""
    rig.start_redis()
    rig.start_relay("--loop", *relay_arguments, source=capture.path)
    rig.start_firehosed(stream_max_len=STREAM_MAX_LEN, **settings)
    wait_for(lambda: rig.added() > 0, lambda: f"the first event; firehosed says:\n{rig.daemon.tail()}")


def compare(before, after, capture):
    """Returns the cost of an event between two moments."""
    events, seconds = after.added - before.added, after.time - before.time
    assert events > 0, "nothing was written in a whole run"
    cpu = {f"cpu_{role}": (after.cpu[role] - before.cpu[role]) * 1e6 / events for role in after.cpu}
    return {
        "events": events,
        "events_per_second": events / seconds,
        "megabytes_per_second": events / seconds * capture.mean_bytes / 1e6,
        "cpu_firehosed": cpu.get("cpu_master", 0) + cpu.get("cpu_workers", 0),
        "pss_megabytes": after.pss / 1e6,
        **cpu,
    }


# -- Sections ----------------------------------------------------------------------------------------------------


def end_to_end(rig, options, capture, report):
    """The highest rate in a steady state. The runs of the worker counts alternate, so that other load on the machine
    affects all of them."""
    report.title("End to end, by number of workers", "CPU by event, of each role apart.")
    runs = {workers: [] for workers in options.workers}
    for turn in range(options.runs):
        for workers in options.workers:
            progress(f"end to end: run {turn + 1} of {options.runs}, {workers} workers")
            runs[workers].append(run_end_to_end(rig, options, capture, workers))
    progress("")
    columns = [
        Column("events/s", "events_per_second"),
        Column("MB/s", "megabytes_per_second"),
        *CPU,
        Column("PSS MB", "pss_megabytes", ".1f"),
    ]
    table = report.table("workers", columns)
    return [{"workers": workers, **table.row(workers, measured)} for workers, measured in runs.items()]


def run_end_to_end(rig, options, capture, workers):
    try:
        start(rig, capture, workers=workers)
        time.sleep(WARM_UP_SECONDS)
        before = rig.usage()
        time.sleep(options.seconds)
        return compare(before, rig.usage(), capture)
    finally:
        rig.stop_all()


def catch_up(rig, options, capture, report):
    """A backlog from its first event to its last. The cost of an event must not depend on the size of the backlog."""
    report.title("Catching up with a backlog", "4 workers; from the first event written to the last.")
    columns = [Column("events/s", "events_per_second"), *CPU, Column("PSS MB", "pss_megabytes", ".1f")]
    table = report.table("events", columns)
    results = []
    for events in options.backlogs:
        measured = []
        for turn in range(options.runs if events <= 1_000_000 else 1):
            progress(f"catch-up: {events:,} events, run {turn + 1}")
            measured.append(run_catch_up(rig, capture, events))
        progress("")
        results.append({"events": events, **table.row(f"{events:,}", measured)})
    return results


def run_catch_up(rig, capture, events):
    try:
        start(rig, capture, "--count", str(events), workers=4)
        before = after = rig.usage()
        started, last = time.time(), 0
        while last < after.added:  # until nothing has come between two looks, which is twice the time of a batch
            last = after.added
            time.sleep(POLL_SECONDS)
            after = rig.usage()
        wait_for(lambda: is_done(rig, events), lambda: f"all of {events:,} events; {rig.daemon.status()}")
        after = rig.usage()
        after.time = before.time + rig.last_added() - started
        return compare(before, after, capture)
    finally:
        rig.stop_all()


def is_done(rig, events):
    status = rig.daemon.status()
    return status is not None and status["received"] >= events and status["in_flight"] == 0


def steady(rig, options, capture, report):
    """A long run at full speed. The memory must not grow."""
    report.title(
        f"Steady for {options.steady:,.0f} s at full speed", "4 workers; PSS of all processes, looked at each second."
    )
    try:
        start(rig, capture, workers=4)
        time.sleep(WARM_UP_SECONDS)
        before, memory = rig.usage(), []
        while (now := rig.usage()).time - before.time < options.steady:
            memory.append(now.pss / 1e6)
            progress(f"steady: {now.time - before.time:,.0f} s, {memory[-1]:.1f} MB")
            time.sleep(1)
        result = compare(before, now, capture)
    finally:
        rig.stop_all()
    progress("")
    tenth = max(1, len(memory) // 10)
    result.update(pss_first=max(memory[:tenth]), pss_last=max(memory[-tenth:]), pss_max=max(memory))
    columns = [
        Column("events", "events"),
        Column("events/s", "events_per_second"),
        Column("both µs", "cpu_firehosed", ".2f"),
        Column("PSS first tenth", "pss_first", ".1f"),
        Column("last tenth", "pss_last", ".1f"),
        Column("highest MB", "pss_max", ".1f"),
    ]
    return report.table("", columns).row(f"{options.steady:,.0f} s", [result])
