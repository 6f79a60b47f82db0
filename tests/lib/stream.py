"""The stream as consumers see it, and whether all that should be there is there."""

import json
from collections import Counter
from dataclasses import dataclass

from waiting import wait_for

STREAM, CURSOR, STATUS = "firehose:events", "firehose:python_cursor", "firehose:status"
RECENT, BROADCAST, DEAD_LETTERS = "firehose:recent_events", "firehose:events:broadcast", "firehose:dead-letters"


@dataclass(frozen=True)
class Entry:
    id: str
    fields: tuple  # (name, value, name, value, …) in the order in which they stand in the stream

    @property
    def type(self):
        return self.fields[1]

    @property
    def data(self):
        return json.loads(self.fields[3])

    @property
    def seq(self):
        return int(self.fields[5])


def entries(db, key=STREAM):
    """All entries, with the fields in order (redis-py would make a dict of them)."""
    found, start = [], "-"
    while True:
        raw = db.execute_command("XRANGE", key, start, "+", "COUNT", 5000)
        page = [(item[0], item[1]) for item in _pairs(raw)]
        found += [Entry(i, tuple(fields)) for i, fields in page]
        if len(page) < 5000:
            return found
        start = after_id(page[-1][0])


def after_id(entry_id):
    """The smallest id behind this one ("(id" is not known to Redis before 6.2)."""
    ms, number = entry_id.split("-")
    return f"{ms}-{int(number) + 1}"


def _pairs(raw):
    """redis-py parses XRANGE into (id, dict); dicts keep the order."""
    for entry_id, fields in raw:
        if isinstance(fields, dict):
            fields = [part for pair in fields.items() for part in pair]
        yield entry_id, fields


def length(db, key=STREAM):
    return db.xlen(key)


def dead_letters(db):
    """The dead letters, as a dict of fields each."""
    return [dict(zip(e.fields[0::2], e.fields[1::2])) for e in entries(db, DEAD_LETTERS)]


def seqs(db, key=STREAM):
    return [entry.seq for entry in entries(db, key)]


def wait_seqs(db, events, deadline=30, key=STREAM):
    """Waits until every event that is to be delivered is in the stream."""
    wanted = {e.seq for e in events if e.is_delivered}

    def missing():
        if db.xlen(key) < len(wanted):  # cheap, and enough while it is filling
            return wanted
        return wanted - set(seqs(db, key))

    def arrived():
        return not missing()

    def describe():
        lost = sorted(missing())
        return f"{len(lost)} of {len(wanted)} events in the stream (length {db.xlen(key)}); first missing: {lost[:5]}"

    wait_for(arrived, describe, deadline, every=0.05)


def assert_delivered(db, events, strict=True, payloads=True, key=STREAM):
    """The stream holds exactly these events: nothing lost, nothing invented, each repo's in order, payloads equal to an
    independent decoder's. strict: each one once. Not strict: events may be there again, as after a kill."""
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
    """Each repo's events stand in the order of their seqs, going by the first time that each is there."""
    last, seen = {}, set()
    for entry in found:
        if entry.seq in seen:
            continue
        seen.add(entry.seq)
        repo = wanted[entry.seq].repo
        before = last.get(repo, 0)
        assert entry.seq > before, f"{repo}: seq {entry.seq} stands behind {before}"
        last[repo] = entry.seq
