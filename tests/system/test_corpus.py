"""Real events of the public network go through the whole system. The tests compare the result with that of another
implementation.

The corpus is not part of the project. The tests look for it in $FIREHOSED_SHARED, or in `shared/` beside the project.
"""

import json
from collections import Counter
from io import BytesIO

import cbor2
import pytest

import events
import frames
import stream
from firehosed import SHARED

CAPTURE = SHARED / "corpus" / "live.frames"
EXPECTED = SHARED / "corpus" / "live.expected.jsonl"

pytestmark = pytest.mark.skipif(not CAPTURE.exists(), reason=f"the corpus is not there: {CAPTURE}")


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def as_events(capture):
    made = []
    for frame in frames.read_capture(capture):
        body_at = BytesIO(frame)
        cbor2.CBORDecoder(body_at).decode()
        body = cbor2.CBORDecoder(body_at).decode()
        made.append(events.Event(body["seq"], body.get("repo") or body.get("did"), frame))
    return made


def expected_view():
    """Returns (did, action, path, cid, record) of each op, and the identities and accounts, from the other one."""
    ops, small = Counter(), Counter()
    for line in EXPECTED.read_text().splitlines():
        item = json.loads(line)
        if item["kind"] == "commit":
            commit = item["commit"]
            path = f"{commit['collection']}/{commit['rkey']}"
            ops[item["did"], commit["operation"], path, commit.get("cid"), canonical(commit.get("record"))] += 1
        else:
            small[item["kind"], item["did"]] += 1
    return ops, small


def stream_view(db):
    ops, small = Counter(), Counter()
    for entry in stream.entries(db):
        if entry.type == "commit":
            for op in entry.data["ops"]:
                ops[entry.data["repo"], op["action"], op["path"], op.get("cid"), canonical(op.get("record"))] += 1
        else:
            small[entry.type, entry.data["did"]] += 1
    return ops, small


@pytest.mark.parametrize("workers", [1, 2])
def test_real_events_arrive_as_another_implementation_saw_them(lab, workers):
    s = lab.system(as_events(CAPTURE), workers=workers)
    s.assert_all()
    ops, small = stream_view(s.db)
    expected_ops, expected_small = expected_view()
    assert ops == expected_ops
    assert small == expected_small


def test_real_capture_served_by_replay_over_tls_arrives(lab):
    c = lab.certificates
    made = as_events(CAPTURE)
    replay = lab.replay(source=CAPTURE, certificate=c.good)
    redis = lab.redis()
    daemon = lab.firehosed(relay=replay.url, relay_ca_file=c.ca_file, redis=redis.url())
    daemon.start()
    stream.wait_seqs(redis.client(), made)
    daemon.wait_settled()
    stream.assert_delivered(redis.client(), made)
