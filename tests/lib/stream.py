"""The stream as consumers read it, and assertions about what it holds."""

import json
from collections import Counter
from dataclasses import dataclass

from waiting import wait_for

STREAM, CURSOR, STATUS = "firehose:events", "firehose:python_cursor", "firehose:status"
RECENT, BROADCAST, DEAD_LETTERS = "firehose:recent_events", "firehose:events:broadcast", "firehose:undecodable"


@dataclass(frozen=True)
class Entry:
    id: str
    fields: tuple  # (name, value, name, value, …) in the order of the stream

    @property
    def type(self):
        return self.fields[1]

    @property
    def data(self):
        return json.loads(self.fields[3])

    @property
    def seq(self):
        """None: the TypeScript service wrote it, an identity or account."""
        return int(self.fields[5]) if self.fields[5] else None


def entries(db, key=STREAM):
    """Returns all entries, with their fields in order."""
    found, start = [], "-"
    while True:
        raw = db.execute_command("XRANGE", key, start, "+", "COUNT", 5000)
        page = [(item[0], item[1]) for item in _pairs(raw)]
        found += [Entry(i, tuple(fields)) for i, fields in page]
        if len(page) < 5000:
            return found
        start = after_id(page[-1][0])


def after_id(entry_id):
    """Returns the smallest id after this one. Redis before 6.2 does not know the form "(id"."""
    ms, number = entry_id.split("-")
    return f"{ms}-{int(number) + 1}"


def _pairs(raw):
    """redis-py returns XRANGE as (id, dict) or as (id, list). Dicts keep the order."""
    for entry_id, fields in raw:
        if isinstance(fields, dict):
            fields = [part for pair in fields.items() for part in pair]
        yield entry_id, fields


def length(db, key=STREAM):
    return db.xlen(key)


def dead_letters(db):
    """Returns the dead letters, each as a dict of its fields."""
    return [dict(zip(e.fields[0::2], e.fields[1::2])) for e in entries(db, DEAD_LETTERS)]


def seqs(db, key=STREAM):
    return [entry.seq for entry in entries(db, key)]


def wait_seqs(db, events, deadline=30, key=STREAM):
    """Waits until the stream holds each event that firehosed has to deliver."""
    wanted = {e.seq for e in events if e.is_delivered}

    def missing():
        if db.xlen(key) < len(wanted):  # cheap, and enough while the stream fills
            return wanted
        return wanted - set(seqs(db, key))

    def arrived():
        return not missing()

    def describe():
        lost = sorted(missing())
        return f"{len(lost)} of {len(wanted)} events in the stream (length {db.xlen(key)}); first missing: {lost[:5]}"

    wait_for(arrived, describe, deadline, every=0.05)


def assert_delivered(db, events, strict=True, payloads=True, key=STREAM):
    """Asserts that the stream holds exactly these events: none is lost, none is invented, each repo is in order, and
    the payloads are those of an independent decoder. If `strict` is false, an event may stand there more than once."""
    wanted = {e.seq: e for e in events if e.is_delivered}
    found = entries(db, key)
    counts = Counter(entry.seq for entry in found)
    lost = sorted(set(wanted) - set(counts))
    invented = sorted(set(counts) - set(wanted))
    doubled = sorted(seq for seq, n in counts.items() if n > 1)
    assert not lost, f"{len(lost)} of {len(wanted)} events lost, first: {lost[:5]}, last: {lost[-1]}"
    assert not invented, f"{len(invented)} events in the stream that must not be there: {invented[:5]}"
    assert not (strict and doubled), f"{len(doubled)} events doubled, first: {doubled[:5]}, last: {doubled[-1]}"
    assert_order(found, wanted)
    if payloads:
        for entry in found:
            _, kind, data = wanted[entry.seq].expected
            assert entry.fields[0::2] == ("type", "data", "seq"), f"fields of {entry}"
            assert (entry.type, entry.data) == (kind, data), f"payload of seq {entry.seq}"


def assert_order(found, wanted):
    """Asserts that the events of each repo stand in the order of their seqs. The first entry of an event counts."""
    last, seen = {}, set()
    for entry in found:
        if entry.seq in seen:
            continue
        seen.add(entry.seq)
        repo = wanted[entry.seq].repo
        before = last.get(repo, 0)
        assert entry.seq > before, f"{repo}: seq {entry.seq} stands behind {before}"
        last[repo] = entry.seq
