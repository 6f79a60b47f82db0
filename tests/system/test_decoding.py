"""What firehosed makes of each frame: of real ones, and of each kind, valid and broken."""

import base64
import json

import pytest

import frames
from decoder import Decoder
from firehosed import SHARED
from frames import OMIT

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
POST = {"$type": "app.bsky.feed.post", "text": "hi", "createdAt": frames.TIME}


def shared(path):
    if not (SHARED / path).exists():
        pytest.skip(f"{SHARED / path} is not here")
    return SHARED / path


@pytest.fixture(scope="module")
def record_decoder():
    decoder = Decoder("--record")
    yield decoder
    decoder.close()


def record_answer(decoder, item):
    return json.loads(decoder.line(item))


# -- Real data ------------------------------------------------------------------------------------------------


def test_real_frames_agree_with_the_reference(decoder):
    for frame in frames.read_capture(shared("corpus/live.frames")):
        assert decoder.agree(frame)["outcome"] == "ready"


def test_real_frames_agree_with_another_implementation(decoder):
    ops = {}
    for frame in frames.read_capture(shared("corpus/live.frames")):
        answer = decoder(frame)
        for op in answer["data"].get("ops", []):
            ops[answer["did"], op["path"], op["action"]] = op
    with open(shared("corpus/live.expected.jsonl")) as file:
        expected = [event for event in map(json.loads, file) if event["kind"] == "commit"]
    assert expected
    for event in expected:
        commit = event["commit"]
        op = ops.pop((event["did"], f"{commit['collection']}/{commit['rkey']}", commit["operation"]))
        assert op.get("record") == commit.get("record")
        assert op.get("cid") == commit.get("cid")
    assert not ops


def test_data_model_fixtures_become_their_json(record_decoder):
    for fixture in json.loads(shared("interop/data-model-fixtures.json").read_text()):
        encoded = base64.b64decode(fixture["cbor_base64"] + "==")
        assert frames.cid_text(frames.cid(encoded)) == fixture["cid"]
        assert record_answer(record_decoder, encoded) == {"ok": True, "has_type": False, "data": fixture["json"]}


def test_valid_data_model_examples_pass_and_wrong_types_are_told(record_decoder):
    for example in json.loads(shared("interop/data-model-valid.json").read_text()):
        value = json.loads(json.dumps(example["json"]).replace("123.0", "123"))
        assert record_answer(record_decoder, frames.cbor(value))["data"] == value, example["note"]
    for example in json.loads(shared("interop/data-model-invalid.json").read_text()):
        if "$type" in example["note"]:
            answer = record_answer(record_decoder, frames.cbor(example["json"]["rcrd"]))
            assert answer["ok"] and not answer["has_type"], example["note"]
        elif example["note"] == "float":
            assert "float" in record_answer(record_decoder, frames.cbor(example["json"]))["rule"]


# -- Every kind -----------------------------------------------------------------------------------------------

KINDS = {
    "create": frames.commit(1, DID, [frames.create("app.bsky.feed.post/3k", POST)]),
    "update": frames.commit(2, DID, [frames.update("app.bsky.feed.post/3k", POST)]),
    "delete": frames.commit(3, DID, [frames.delete("app.bsky.feed.post/3k")]),
    "no ops": frames.commit(4, DID),
    "many ops": frames.commit(5, DID, [frames.create(f"a.b.c/{i}", {**POST, "n": i}) for i in range(200)]),
    "too many ops": frames.commit(6, DID, [frames.delete(f"a.b.c/{i}") for i in range(201)]),
    "since null": frames.commit(7, DID, since=None),
    "tooBig without blocks": frames.commit(8, DID, [frames.create("a/b", POST)], tooBig=True, blocks=b""),
    "blocks absent": frames.commit(9, DID, [frames.delete("a/b")], blocks=OMIT),
    "optional fields absent": frames.commit(10, DID, prevData=OMIT, since=OMIT, blobs=OMIT, rebase=OMIT, tooBig=OMIT),
    "prevData null": frames.commit(11, DID, prevData=None),
    "fields of the future": frames.commit(12, DID, zz={"b": [1, {"c": None}], "aa": b"x"}, a=1),
    "seq past 2^32": frames.commit(31527015322, DID),
    "seq 2^63-1": frames.identity(2**63 - 1, DID),
    "seq 2^63": frames.identity(2**63, DID),
    "seq negative": frames.identity(-1, DID),
    "seq is text": frames.identity("1", DID),
    "seq absent": frames.identity(1, DID, seq=OMIT),
    "repo absent": frames.commit(1, DID, repo=OMIT),
    "ops absent": frames.commit(1, DID, ops=OMIT),
    "ops not an array": frames.commit(1, DID, ops={}),
    "op not a map": frames.commit(1, DID, ops=[1]),
    "rev absent": frames.commit(1, DID, rev="x", time=OMIT),
    "commit null": frames.commit(1, DID, commit=None),
    "blocks too large": frames.commit(1, DID, blocks=b"\0" * 2_000_001),
    "action unknown": frames.commit(1, DID, [frames.delete("a/b", action="move")]),
    "action absent": frames.commit(1, DID, [frames.delete("a/b", action=OMIT)]),
    "path absent": frames.commit(1, DID, [frames.delete("a/b", path=OMIT)]),
    "delete cid absent": frames.commit(1, DID, [frames.delete("a/b", cid=OMIT, prev=OMIT)]),
    "identity": frames.identity(13, DID, "alice.example"),
    "identity without handle": frames.identity(14, DID),
    "identity with an empty handle": frames.identity(15, DID, ""),
    "identity handle.invalid": frames.identity(16, DID, "handle.invalid"),
    "account": frames.account(17, DID),
    "account takendown": frames.account(18, DID, False, "takendown"),
    "account active absent": frames.account(18, DID, OMIT),
    "account active a number": frames.account(18, DID, 1),
    "sync": frames.sync(19, DID),
    "sync without blocks": frames.sync(19, DID, blocks=OMIT),
    "sync too large": frames.sync(19, DID, blocks=b"\0" * 10_001),
    "info": frames.info(message="too old"),
    "info without name": frames.info(OMIT),
    "error": frames.error(message="slow"),
    "error with t": frames.frame("#info", {"error": "FutureCursor"}, op=-1),
    "unknown": frames.unknown(20, DID),
    "unknown body": frames.frame("#novel", [1, 2]),
    "unknown op": frames.frame("#commit", {}, op=2),
    "unknown negative op": frames.frame("#commit", {}, op=-2),
    "huge op": frames.frame("#commit", {}, op=2**64 - 1),
    "handle": frames.handle(21, DID),
    "migrate": frames.migrate(22, DID),
    "tombstone": frames.tombstone(23, DID),
    "no t": frames.frame(None, {}),
    "no op": frames.frame(None, {}, header={"t": "#commit"}),
    "header not a map": frames.frame(None, {}, header=[1]),
    "op is text": frames.frame("#commit", {}, op="1"),
    "t is a number": frames.frame(5, {}),
    "body not a map": frames.frame("#commit", [1]),
    "no body": frames.cbor({"op": 1, "t": "#commit"}),
    "trailing byte": frames.identity(24, DID) + b"\0",
    "trailing item": frames.identity(24, DID) + frames.cbor({}),
    "empty": b"",
}
REFUSED = """too many ops|seq 2^63|seq negative|seq is text|seq absent|repo absent|ops absent|ops not an array|op not a map
rev absent|commit null|blocks too large|action unknown|action absent|path absent|account active absent
account active a number|sync too large|info without name|no t|no op|header not a map|op is text|t is a number|body not a map
no body|trailing byte|trailing item|empty""".replace("\n", "|").split("|")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_frame(decoder, name):
    answer = decoder.agree(KINDS[name])
    assert (answer["outcome"] == "refused") == (name in REFUSED)


def test_peek_tells_what_the_master_needs(decoder):
    peek = decoder(KINDS["update"])["peek"]
    assert (peek["kind"], peek["seq"], peek["did"]) == ("commit", 2, DID)
    assert (peek["action"], peek["path"]) == ("update", "app.bsky.feed.post/3k")
    peek = decoder(KINDS["info"])["peek"]
    assert (peek["seq"], peek["did"], peek["name"], peek["message"]) == (None, None, "OutdatedCursor", "too old")
    peek = decoder(KINDS["error"])["peek"]
    assert (peek["kind"], peek["name"], peek["message"]) == ("error", "ConsumerTooSlow", "slow")
    peek = decoder(KINDS["tombstone"])["peek"]
    assert (peek["kind"], peek["seq"], peek["did"]) == ("unknown", 23, DID)


def test_peek_reads_no_further_than_it_must(decoder):
    whole = frames.commit(77, DID, [frames.create("a/b", POST)])
    cut = whole[: whole.index(DID.encode()) + len(DID)]
    assert decoder(cut)["outcome"] == "refused"
    assert decoder(cut)["peek"]["seq"] == 77 and decoder(cut)["peek"]["did"] == DID


def test_a_frame_cut_anywhere_is_refused(decoder):
    frame = frames.commit(31527015322, DID, [frames.create("a/b", POST), frames.delete("c/d")])
    for length in range(len(frame)):
        assert decoder.agree(frame[:length])["outcome"] == "refused"
