"""quickstart.py: runs the whole system once, and shows what happens. scripts/quickstart starts it."""

import argparse
import os
import shutil
import sys
import time

from rig import STREAM, Late, Rig, run

LIVE_RELAY = "wss://bsky.network"
CONNECT_SECONDS = 20


def main():
    options = parse_arguments()
    try:
        with Rig() as rig:
            return quickstart(rig, options)
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped and removed.", file=sys.stderr)
        return 130


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/quickstart",
        description="Builds firehosed and shows it at work: a relay, firehosed and a Redis of its own, on this machine.",
    )
    parser.add_argument("--live", action="store_true", help=f"read the real network, {LIVE_RELAY}")
    parser.add_argument("--seconds", type=positive, default=20, help="how long to read the real network (%(default)s)")
    parser.add_argument("--count", type=positive, default=200_000, help="events of the local relay (%(default)s)")
    parser.add_argument("--workers", default="auto", help="worker processes (%(default)s)")
    return parser.parse_args()


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number above 0 is expected")
    return number


def quickstart(rig, options):
    say("Starting a Redis of its own …")
    rig.start_redis()
    settings = {"workers": options.workers, "stream_max_len": 0}
    if options.live:
        settings.update(relay=LIVE_RELAY, start="live")
    else:
        say(f"Starting a relay that has {options.count:,} generated events, over TLS …")
        rig.start_relay("--count", str(options.count), "--seed", "1")
    say("Starting firehosed …")
    try:
        rig.start_firehosed(**settings)
        if not connected(rig, settings.get("relay") or rig.relay_url):
            return 1
        if options.live:
            watch_seconds(rig, options.seconds)
        else:
            watch_count(rig, options.count)
        status = rig.daemon.status()
        usage = rig.usage()
        table = run("firehosectl", "-s", rig.daemon.control_socket, "status").stdout
        rig.daemon.stop()  # in order: firehosed writes what is in flight, and saves the cursor
        return report(rig, options, status, usage, table)
    except AssertionError as wrong:  # also Late
        print(f"\nThat did not work: {wrong}\n\nThe end of firehosed's log:\n{log_tail(rig)}", file=sys.stderr)
        return 1


# -- Waiting ---------------------------------------------------------------------------------------------------


def connected(rig, url):
    try:
        rig.daemon.wait_status(lambda s: s["relay"]["connected"], "to connect", CONNECT_SECONDS)
        return True
    except Late:
        print(f"\n{url} could not be reached in {CONNECT_SECONDS} s. firehosed says:\n", file=sys.stderr)
        print(log_tail(rig), file=sys.stderr)
        print("Is there a way to the network from here? Without one, scripts/quickstart alone shows the same on a "
              "relay of its own.", file=sys.stderr)  # fmt: skip
        return False


def watch_count(rig, count):
    """Waits until firehosed has received all events and finished them."""
    progress = Progress(lambda done: done / count)
    last_change, last_done = time.monotonic(), 0
    while True:
        status = rig.daemon.status() or {"received": 0, "in_flight": 0}
        done = status["received"] - status["in_flight"]
        if done >= count:
            progress.end(done, f"of {count:,}")
            return
        progress.show(done, f"of {count:,}")
        if done != last_done:
            last_change, last_done = time.monotonic(), done
        if time.monotonic() - last_change > 30:
            raise Late(f"nothing happened for 30 s, and {count - done:,} events are missing")
        time.sleep(0.1)


def watch_seconds(rig, seconds):
    started = time.monotonic()
    progress = Progress(lambda _: (time.monotonic() - started) / seconds)
    while time.monotonic() - started < seconds:
        progress.show(rig.added(), f"in {time.monotonic() - started:.0f} of {seconds} s")
        time.sleep(0.1)
    progress.end(rig.added(), f"in {seconds} s")


class Progress:
    """Prints the progress: on a terminal in one line, elsewhere as a line every five seconds."""

    def __init__(self, fraction):
        self.fraction = fraction
        self.on_terminal = sys.stderr.isatty()
        self.next = 0 if self.on_terminal else time.monotonic() + 5

    def show(self, events, of):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + (0.1 if self.on_terminal else 5)
        filled = round(30 * min(1, max(0, self.fraction(events))))
        bar = f"[{'#' * filled}{'.' * (30 - filled)}]  {events:,} events {of}"
        print(f"\r  {bar}\x1b[K" if self.on_terminal else f"  {bar}", end="" if self.on_terminal else "\n",
              file=sys.stderr, flush=True)  # fmt: skip

    def end(self, events, of):
        self.next = 0
        self.show(events, of)
        if self.on_terminal:
            print(file=sys.stderr)


# -- The report ------------------------------------------------------------------------------------------------


def report(rig, options, status, usage, table):
    read = StreamRead(rig)
    if not read.count:
        print("\nNo event came in that time.", file=sys.stderr)
        return 1
    cpu = {role: usage.cpu[role] * 1e6 / read.count for role in ("master", "workers")}

    heading("What it did")
    row("events written", f"{read.count:,}" + (f" in {read.seconds:.1f} s" if read.seconds else ""))
    if read.seconds:
        row("throughput", f"{read.count / read.seconds:,.0f} events/s"
            + (" (that is what the network has)" if options.live else ""))  # fmt: skip
    row("CPU", f"{cpu['master'] + cpu['workers']:.1f} µs per event "
        f"({cpu['master']:.1f} master, {cpu['workers']:.1f} workers)")  # fmt: skip
    row("memory", f"{usage.pss / 1e6:.1f} MB, master and {len(status['workers'])} workers together (PSS)")

    heading("firehosectl status, just before the end")
    print(indent(table))

    heading(f"The first entries of {STREAM}")
    for entry_id, fields in read.first:
        print(f"  {entry_id}")
        for name, value in fields.items():
            print(f"    {name:<6}{folded(value, 10)}")

    heading("What went in came out")
    checks = live_checks(read) if options.live else local_checks(read, status, options.count)
    for well, text in checks:
        print(f"  {'yes' if well else 'NO '}  {text}")
    if not all(well for well, _ in checks):
        print(f"\nSomething is wrong. The end of firehosed's log:\n\n{log_tail(rig)}")
        return 1
    print("\nAll of it is stopped and removed again; the programs are in " + os.environ["FIREHOSED_BUILD"] + ".")
    return 0


def local_checks(read, status, count):
    parts = " + ".join(f"{status[part]:,} {part}" for part in BALANCE)
    return [
        (status["received"] == count, f"the relay sent {count:,} events, firehosed received {status['received']:,}"),
        (status["received"] == sum(status[part] for part in BALANCE), f"{status['received']:,} received = {parts}"),
        (status["written"] == read.count, f"{status['written']:,} written, {read.count:,} entries in the stream"),
        *live_checks(read),
    ]


def live_checks(read):
    return [
        (read.distinct == read.count, f"{read.distinct:,} of {read.count:,} sequence numbers are there exactly once"),
        (read.cursor >= read.last_seq, f"the saved cursor is {read.cursor}, the newest entry {read.last_seq}"),
    ]


BALANCE = ("written", "filtered", "quarantined", "duplicate")


class StreamRead:
    """Reads the stream from its first entry to its last, as a consumer does."""

    def __init__(self, rig):
        self.first, seqs, start, last = [], [], "-", None
        while True:
            page = rig.db.xrange(STREAM, start, "+", count=10_000)
            if not page:
                break
            self.first = self.first or page[:3]
            seqs += [int(fields["seq"]) for _, fields in page]
            last = page[-1][0]
            start = f"({last}"
        self.count, self.distinct = len(seqs), len(set(seqs))
        self.last_seq = max(seqs, default=0)
        self.cursor = int(rig.db.get("firehose:python_cursor") or 0)
        # The id of an entry has the time at which Redis added it.
        milliseconds = int(last.split("-")[0]) - int(self.first[0][0].split("-")[0]) if last else 0
        self.seconds = milliseconds / 1000


def heading(text):
    print(f"\n{text}\n")


def row(name, value):
    print(f"  {name:<16}{value}")


def indent(text):
    return "".join(f"  {line}\n" for line in text.splitlines()).rstrip("\n")


def folded(text, margin, most_lines=3):
    """Returns a shortened text in lines of the terminal's width, with a margin before all lines but the first."""
    width = max(80, min(120, shutil.get_terminal_size().columns)) - margin
    if len(text) > width * most_lines:
        text = text[: width * most_lines - 1] + "…"
    return ("\n" + " " * margin).join(text[at : at + width] for at in range(0, len(text), width))


def log_tail(rig):
    return indent(rig.daemon.tail(15)) if rig.daemon else "  (it did not start)"


def say(text):
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
