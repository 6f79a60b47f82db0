"""bench.py: measures firehosed. Started by scripts/bench, which builds it optimised.

A section measures one thing several times and returns its results; SECTIONS lists them. A result that is printed is
the median of the runs, and behind it half the distance from the smallest to the largest.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from rig import ROOT, Rig, program, wait_for

CORPUS = ROOT.parent / "shared" / "corpus" / "live.frames"
STREAM_MAX_LEN = 100_000  # keeps Redis small, however long it runs
WARM_UP_SECONDS = 1.5


def main():
    options = parse_arguments()
    results = {"machine": machine(), "commit": commit(), "started": datetime.now(timezone.utc).isoformat("T", "seconds")}
    try:
        with Rig() as rig:
            capture = choose_capture(rig, options)
            results["frames"] = capture.description
            print(f"{results['machine']['summary']}\nframes: {capture.description}\n")
            for name in options.sections:
                results[name] = SECTIONS[name](rig, options, capture)
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped and removed.", file=sys.stderr)
        return 130
    except AssertionError as wrong:
        print(f"\nThat did not work: {wrong}", file=sys.stderr)
        return 1
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2) + "\n")
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures firehosed on this machine.")
    parser.add_argument("--seconds", type=float, default=4, help="length of a run (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each measurement (%(default)s)")
    parser.add_argument("--workers", type=numbers, default=[1, 2, 4], help="worker counts to measure (1,2,4)")
    parser.add_argument("--frames", type=int, default=0,
                        help="measure on so many generated frames; else on real ones where there are any")  # fmt: skip
    parser.add_argument("--sections", type=lambda text: text.split(","), default=list(SECTIONS),
                        help=f"what to measure ({','.join(SECTIONS)})")  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="write all results there")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    return options


def numbers(text):
    return [int(part) for part in text.split(",")]


# -- Sections ----------------------------------------------------------------------------------------------------


def end_to_end(rig, options, capture):
    """Relay over TLS → firehosed → Redis, in steady state, by number of workers. The runs of the worker counts take
    turns, so that what the machine does meanwhile falls on all of them."""
    print("End to end: relay over TLS → firehosed → Redis (CPU in µs per event)\n")
    columns = [
        Column("events/s", "events_per_second", ",.0f"),
        Column("MB/s", "megabytes_per_second", ",.0f"),
        Column("master", "cpu_master", ".2f"),
        Column("workers", "cpu_workers", ".2f"),
        Column("both", "cpu_firehosed", ".2f"),
        Column("redis", "cpu_redis", ".2f"),
        Column("relay", "cpu_relay", ".2f"),
        Column("PSS MB", "pss_megabytes", ".1f"),
    ]
    table = Table("workers", columns)
    runs = {workers: [] for workers in options.workers}
    for turn in range(options.runs):
        for workers in options.workers:
            progress(f"end to end: run {turn + 1} of {options.runs}, {workers} workers")
            runs[workers].append(run_end_to_end(rig, options, capture, workers))
    progress("")
    table.head()
    return [{"workers": workers, **table.row(workers, measured)} for workers, measured in runs.items()]


def run_end_to_end(rig, options, capture, workers):
    rig.start_redis()
    rig.start_relay("--loop", source=capture.path)
    rig.start_firehosed(workers=workers, stream_max_len=STREAM_MAX_LEN)
    try:
        wait_for(lambda: rig.added() > 0, lambda: f"the first event; firehosed says:\n{rig.daemon.tail()}")
        time.sleep(WARM_UP_SECONDS)
        before = rig.usage()
        time.sleep(options.seconds)
        after = rig.usage()
    finally:
        rig.stop_all()
    events, seconds = after.added - before.added, after.time - before.time
    assert events > 0, "nothing was written in a whole run"
    cpu = {f"cpu_{role}": (after.cpu[role] - before.cpu[role]) * 1e6 / events for role in after.cpu}
    return {
        "events_per_second": events / seconds,
        "megabytes_per_second": events / seconds * capture.mean_bytes / 1e6,
        "cpu_firehosed": cpu["cpu_master"] + cpu["cpu_workers"],
        "pss_megabytes": after.pss / 1e6,
        **cpu,
    }


def decoder(rig, options, capture):
    """What the atproto room costs alone, on one core, without I/O."""
    print("Decoder alone, one core\n")
    rounds = max(1, round(200_000 / capture.count))
    runs = {}
    for turn in range(options.runs):
        progress(f"decoder: run {turn + 1} of {options.runs}")
        text = output(program("tests/tools/decode-frames"), "--bench", rounds, capture.path)
        for what, rate in re.findall(r"^(\S+)\s+(\d+) frames/s", text, re.M):
            runs.setdefault(what, []).append({"frames_per_second": float(rate), "microseconds": 1e6 / float(rate)})
    progress("")
    assert runs, "tests/tools/decode-frames --bench said nothing"
    table = Table("", [Column("frames/s", "frames_per_second", ",.0f"), Column("µs", "microseconds", ".2f")])
    table.head()
    return [{"what": what, **table.row(what, measured)} for what, measured in runs.items()]


SECTIONS = {"end-to-end": end_to_end, "decoder": decoder}


# -- Frames ------------------------------------------------------------------------------------------------------


class Capture:
    """A file of [u32 little-endian length][frame]…"""

    def __init__(self, path, what):
        self.path = path
        self.count = self.bytes = 0
        with open(path, "rb") as file:
            while head := file.read(4):
                length = int.from_bytes(head, "little")
                file.seek(length, os.SEEK_CUR)
                self.count += 1
                self.bytes += length
        self.mean_bytes = self.bytes / self.count
        self.description = f"{what}, {self.count:,} of {self.mean_bytes:,.0f} bytes on average, repeated"


def choose_capture(rig, options):
    if not options.frames and CORPUS.exists():
        return Capture(CORPUS, "of the real network")
    path = rig.directory / "generated.frames"
    output(program("firehose-replay"), "generate", path, "--count", options.frames or 20_000, "--seed", 1)
    return Capture(path, "generated")


# -- Printing ----------------------------------------------------------------------------------------------------


class Column:
    def __init__(self, title, key, form):
        self.title, self.key, self.form = title, key, form


class Table:
    """Rows are printed as they come: the median of each figure, ± half of its range."""

    WIDTH = 18

    def __init__(self, what, columns):
        self.what, self.columns = what, columns

    def head(self):
        print(f"{self.what:>8}" + "".join(f"{column.title:>{self.WIDTH}}" for column in self.columns))

    def row(self, name, runs):
        summary, line = {}, f"{name!s:>8}"
        for column in self.columns:
            values = [run[column.key] for run in runs]
            median, spread = statistics.median(values), (max(values) - min(values)) / 2
            summary[column.key] = {"median": median, "min": min(values), "max": max(values)}
            text = format(median, column.form) + (f" ± {format(spread, column.form)}" if len(values) > 1 else "")
            line += f"{text:>{self.WIDTH}}"
        print(line, flush=True)
        return {"summary": summary, "runs": runs}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


def output(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, f"{Path(command[0]).name} failed: {done.stderr.strip()}"
    return done.stdout


def machine():
    processor = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                     platform.machine())  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    redis = re.search(r"v=(\S+)", output("redis-server", "--version"))
    kernel = platform.release()
    summary = f"{cores} × {processor}, Linux {kernel}, Redis {redis[1] if redis else '?'}"
    return {"processor": processor, "cores": cores, "kernel": kernel, "redis": redis and redis[1], "summary": summary}


def commit():
    done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main())
