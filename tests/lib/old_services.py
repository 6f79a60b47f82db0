"""Stand-ins for the Python and the TypeScript service that firehosed replaces. They write what those write, in the same
order: the one records as the models of the atproto package have them, in JSON, with bytes in hexadecimal; the other what
the @skyware/firehose package gives it. The stand-ins read the relay's log instead of its WebSocket.
"""

import json
import re

import frames
import stream

# The optional fields that atproto has and a record lacks are null.
NULLS = {
    "app.bsky.feed.post": ("embed", "entities", "facets", "labels", "langs", "reply", "tags"),
    "app.bsky.feed.like": ("via",),
    "app.bsky.embed.images#image": ("aspect_ratio",),
}
# atproto knows the types of members from the lexicon, where the record has none.
TYPES = {("subject", "app.bsky.feed.like"): "com.atproto.repo.strongRef",
         ("images", "app.bsky.embed.images"): "app.bsky.embed.images#image"}  # fmt: skip


def as_atproto_dumps(value, kind=None):
    """Returns a record (in the JSON of the AT data model) as a model of atproto has it."""
    if isinstance(value, list):
        return [as_atproto_dumps(item, kind) for item in value]
    if not isinstance(value, dict):
        return value
    if "$link" in value:
        return frames.cid_from_text(value["$link"]).hex()
    kind = value.get("$type", kind)
    dumped = {re.sub("([A-Z])", r"_\1", name).lower(): as_atproto_dumps(item, TYPES.get((name, kind)))
              for name, item in value.items() if name != "$type"}  # fmt: skip
    return {**{name: None for name in NULLS.get(kind, ())}, **dumped, "py_type": kind}


class _Service:
    def __init__(self, db, relay):
        self.db, self.relay, self.cursor = db, relay, None

    def run(self, until):
        """Writes the events behind the cursor, up to the seq `until`."""
        saved = self.load()
        self.cursor = int(saved) if saved else 0
        self.save(self.cursor)
        for event in [e for e in self.relay.log if self.cursor < e.seq <= until]:
            outcome, kind, data = event.expected
            if outcome == "ready":
                self.write(event.seq, kind, data)

    def add(self, kind, text, seq):
        self.db.xadd(stream.STREAM, {"type": kind, "data": text, "seq": seq}, maxlen=500000, approximate=True)


class PythonService(_Service):
    """Keeps its cursor in Redis, and saves it every 5 seconds: here, at its start and when it ends by SIGTERM."""

    def load(self):
        return self.db.get(stream.CURSOR)

    def save(self, seq):
        self.db.set(stream.CURSOR, str(seq))

    def write(self, seq, kind, data):
        if kind == "commit":
            data = {"repo": data["repo"], "ops": [op for op in map(self._op, data["ops"]) if op]}
        elif kind == "identity" and data["handle"] == data["did"]:
            data = {**data, "handle": None}
        self.cursor = seq
        self.add(kind, json.dumps(data), str(seq))
        status = {"connected": True, "url": "wss://bsky.network", "currentCursor": str(seq)}
        self.db.setex(stream.STATUS, 10, json.dumps(status))

    def _op(self, op):
        if op["action"] == "delete":
            return op
        if not op["record"]["$type"].startswith("app.bsky."):
            return None  # of a lexicon that atproto does not know
        return {**op, "record": {**as_atproto_dumps(op["record"]), "$type": op["record"]["$type"]}}

    def terminate(self):
        self.save(self.cursor)


class TypeScriptService(_Service):
    """Keeps its cursor in PostgreSQL, and saves it every 5 seconds: here, only at its start. `sql` runs a statement."""

    TABLE = "CREATE TABLE firehose_cursor (id INTEGER PRIMARY KEY, service TEXT NOT NULL UNIQUE, cursor TEXT)"

    def __init__(self, db, relay, sql):
        super().__init__(db, relay)
        self.sql = sql

    def load(self):
        rows = self.sql("SELECT cursor FROM firehose_cursor WHERE service = 'firehose'")
        return rows[0][0] if rows else None

    def save(self, seq):
        self.sql(f"INSERT INTO firehose_cursor (service, cursor) VALUES ('firehose', '{seq}') "
                 f"ON CONFLICT (service) DO UPDATE SET cursor = '{seq}'")  # fmt: skip

    def write(self, seq, kind, data):
        if kind == "commit":
            self.cursor = seq
        self.add(kind, json.dumps(data, ensure_ascii=False, separators=(",", ":")), str(seq) if kind == "commit" else "")
