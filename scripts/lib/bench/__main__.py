"""bench: measures firehosed. scripts/bench starts it, and builds an optimised firehosed before.

A section measures one thing several times, and returns its results. SECTIONS lists the sections in their order. load.py
has those of the whole under load, parts.py those of its parts and of the floor, and peers.py those of other programs.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from bench.frames import choose_capture
from bench.load import catch_up, end_to_end, steady
from bench.parts import decoder, floor, latency
from bench.peers import peers
from bench.table import Report, output
from rig import ROOT, Rig

SECTIONS = {
    "floor": floor,
    "decoder": decoder,
    "end-to-end": end_to_end,
    "latency": latency,
    "catch-up": catch_up,
    "steady": steady,
    "peers": peers,
}
ONLY_WHEN_ASKED = {"peers"}
QUICK = {"seconds": 2.0, "runs": 2, "workers": [1, 4], "rates": [2_000], "backlogs": [100_000], "steady": 15.0}
THOROUGH = {
    "seconds": 5.0,
    "runs": 5,
    "workers": [1, 2, 4, 8],
    "rates": [2_000, 10_000],
    "backlogs": [100_000, 1_000_000, 10_000_000],
    "steady": 600.0,
}


def main():
    options = parse_arguments()
    results = {
        "machine": machine(),
        "commit": commit(),
        "started": datetime.now(timezone.utc).isoformat("T", "seconds"),
    }
    try:
        with Rig() as rig:
            capture = choose_capture(rig, options.frames)
            results["frames"] = capture.description
            report = Report(options.markdown)
            report.head(
                f"{results['machine']['summary']}; commit {results['commit']}", f"Frames: {capture.description}."
            )
            for name in options.sections:
                results[name] = SECTIONS[name](rig, options, capture, report)
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
    parser.add_argument(
        "--quick", action="store_true", help="fewer and shorter runs: two minutes instead of twenty-five"
    )
    parser.add_argument("--peers", action="store_true", help="others at the same work, too")
    parser.add_argument(
        "--sections", type=words, default=None, help=f"what to measure ({','.join(name for name in SECTIONS)})"
    )
    parser.add_argument("--seconds", type=float, help="length of a run")
    parser.add_argument("--runs", type=int, help="runs of each measurement")
    parser.add_argument("--workers", type=numbers, help="worker counts to measure, as in 1,2,4,8")
    parser.add_argument("--rates", type=numbers, help="events a second at which latency is measured")
    parser.add_argument("--backlogs", type=numbers, help="events to catch up with")
    parser.add_argument("--steady", type=float, metavar="SECONDS", help="length of the steady run")
    parser.add_argument(
        "--frames",
        type=int,
        default=0,
        help="measure on so many generated frames; else on real ones where there are any",
    )
    parser.add_argument("--json", metavar="FILE", help="write all results there")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else THOROUGH).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.sections is None:
        options.sections = [name for name in SECTIONS if options.peers or name not in ONLY_WHEN_ASKED]
    elif options.peers and "peers" not in options.sections:
        options.sections.append("peers")
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    return options


def words(text):
    return text.split(",")


def numbers(text):
    return [int(float(part)) for part in text.split(",")]


def machine():
    processor = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    cores = len(os.sched_getaffinity(0))
    redis = re.search(r"v=(\S+)", output("redis-server", "--version"))
    openssl = re.search(r"OpenSSL (\S+)", output("openssl", "version"))
    kernel = platform.release()
    versions = {"kernel": kernel, "redis": redis and redis[1], "openssl": openssl and openssl[1]}
    summary = f"{cores} × {processor}, Linux {kernel}, Redis {versions['redis']}, OpenSSL {versions['openssl']}"
    return {"processor": processor, "cores": cores, **versions, "summary": summary}


def commit():
    done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main())
