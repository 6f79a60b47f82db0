"""chaos: breaks firehosed and everything around it, and then counts the events. scripts/chaos starts it.

Three lanes draw faults by lot, so that faults overlap. The seed alone decides the faults; their effect depends on
timing.
"""

import argparse
import os
import random
import sys
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

from chaos.faults import FAULTS
from chaos.frames import Frames
from chaos.rig import ChaosRig
from chaos.verdict import Verdict, judge_letters, judge_stream, read_events, read_letters

LANES = 3
WATCH_SECONDS = 0.3


def main():
    options = parse_arguments()
    if options.list:
        for one in FAULTS.values():
            print(f"{one.name:<20} {one.part:<7} {one.description}")
        return 0
    print(f"chaos: seed {options.seed}, {options.seconds:g} s, {options.rate:,} events/s", flush=True)
    try:
        return run(options)
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped and removed.", file=sys.stderr)
        return 130


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Tries whether events arrive exactly once.")
    parser.add_argument("--seconds", type=float, default=60, help="how long faults strike (%(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000, help="chooses the faults (the time)")
    parser.add_argument("--faults", type=lambda text: text.split(","), default=list(FAULTS), metavar="LIST",
                        help="only these; or all but those with a '-' in front: --faults=-redis_lose")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list the faults")
    parser.add_argument("--rate", type=int, default=4000, help="events a second of the relay (%(default)s)")
    parser.add_argument("--pause", type=float, default=0.6, help="longest pause of a lane between faults (%(default)s)")
    parser.add_argument("--sanitize", action="store_true", help="on a build with sanitizers")
    parser.add_argument("--keep", type=Path, help="where a failed run leaves its files (a new folder in /tmp)")
    options = parser.parse_args()
    unknown = [name for name in options.faults if name.lstrip("-") not in FAULTS]
    if unknown:
        parser.error(f"no fault {unknown[0]}; see --list")
    left_out = {name[1:] for name in options.faults if name.startswith("-")}
    chosen = [name for name in options.faults if not name.startswith("-")] or list(FAULTS)
    options.faults = [name for name in chosen if name not in left_out]
    return options


# -- A run -------------------------------------------------------------------------------------------------------------


class Lane(threading.Thread):
    """Draws faults and strikes with them, until the time is over or something is wrong."""

    def __init__(self, number, rig, options, tally):
        super().__init__(name=f"lane {number}", daemon=True)
        self.chance = random.Random(f"{options.seed} lane {number}")
        self.rig, self.options, self.tally = rig, options, tally
        self.over = threading.Event()
        self.failure = None

    def run(self):
        while not self.over.wait(self.chance.uniform(0, self.options.pause)):
            name = self.chance.choice(self.options.faults)
            # A fault has a generator of its own, so that its draws do not change the later faults.
            chance = random.Random(self.chance.random())
            started = time.monotonic()
            try:
                FAULTS[name].strike(self.rig, chance)
            except Exception:
                self.failure = f"{name} at {started - self.rig.started:.1f} s: {traceback.format_exc()}"
                return
            self.tally.add(self.name, name, started - self.rig.started, time.monotonic() - started)


class Tally:
    def __init__(self):
        self.counts, self.history, self._lock = Counter(), [], threading.Lock()

    def add(self, lane, name, at, took):
        with self._lock:
            self.counts[name] += 1
            self.history.append(f"{at:8.3f} s  {lane}  {name}, {took:.3f} s")


def run(options):
    started = time.monotonic()
    tally, verdict, figures = Tally(), Verdict(), {}
    with ChaosRig(options) as rig:
        try:
            frames = Frames(rig.directory, options.seed)
            rig.undisturbed(frames)
            rig.start_parts(frames)
            strike(rig, options, tally, verdict)
            if verdict:
                rig.settle()
                verdict.none("processes are left", rig.left_over())
                figures = judge(rig, frames, verdict)
        except Exception as wrong:
            verdict.claim(False, f"{type(wrong).__name__}: {wrong}" if isinstance(wrong, AssertionError)
                          else traceback.format_exc())  # fmt: skip
        if rig.started is not None:
            verdict.none("lines in the logs that must not be", rig.unexplained())
        report(rig, tally, verdict, figures, time.monotonic() - started)
        if not verdict:
            keep(rig, options, tally, verdict)
    return 0 if verdict else 1


def strike(rig, options, tally, verdict):
    lanes = [Lane(number, rig, options, tally) for number in range(1, LANES + 1)]
    for lane in lanes:
        lane.start()
    end = time.monotonic() + options.seconds
    try:
        while time.monotonic() < end and all(lane.is_alive() for lane in lanes):
            rig.watch()
            time.sleep(WATCH_SECONDS)
    finally:
        for lane in lanes:
            lane.over.set()
        for lane in lanes:
            lane.join()
    for lane in lanes:
        verdict.claim(lane.failure is None, lane.failure)


def judge(rig, frames, verdict):
    entries, letters = read_events(rig.redis), read_letters(rig.redis)
    figures = {
        "events": judge_stream(verdict, frames, rig.count, entries),
        "poison": judge_letters(verdict, frames, rig.count, letters, rig.losses > 0, rig.garbled),
    }
    if not verdict:
        with open(rig.directory / "stream.seqs", "w") as file:
            file.writelines(f"{stamp} {seq} {frames.repos.get(frames.place(seq), b'?').decode()}\n"
                            for stamp, _, _, seq in entries)  # fmt: skip
    return figures


def report(rig, tally, verdict, figures, seconds):
    for name, count in sorted(tally.counts.items()):
        print(f"  {name:<20} {count:>5}")
    total = sum(tally.counts.values())
    kinds = f"{total:,} faults of {len(tally.counts)} kinds, {rig.lives} lives of the master"
    events = f"{figures['events']:,} events, {figures['poison']:,} of poison" if figures else "no stream was judged"
    print(f"{kinds}; {events}; {seconds:.0f} s")
    print("verdict: each event once, in order, unchanged" if verdict else "verdict: FAILED", flush=True)
    for text in verdict.faults:
        print(f"  - {text}")


def keep(rig, options, tally, verdict):
    """Keeps all files that a person needs to find the cause."""
    rig.keep = options.keep or Path(f"/tmp/firehosed-chaos-{options.seed}-{os.getpid()}")
    (rig.directory / "faults.txt").write_text("\n".join(tally.history) + "\n")
    (rig.directory / "verdict.txt").write_text("\n".join(verdict.faults) + "\n")
    again = " ".join(["scripts/chaos", *sys.argv[1:]] + ([] if "--seed" in sys.argv else [f"--seed {options.seed}"]))
    print(f"Logs, configurations and the history: {rig.keep}\nAgain: {again}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
