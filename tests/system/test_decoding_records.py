"""What firehosed makes of each record: oddities of values, and of the blocks that hold them."""

import cbor2
import pytest

import frames
from frames import OMIT, Raw

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
POST = {"$type": "app.bsky.feed.post", "text": "hi", "createdAt": frames.TIME}

CID = frames.link(frames.cid(b""))
GOOD_VALUES = {
    "integers": [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1],
    "negative": [-1, -24, -25, -256, -257, -65536, -65537, -(2**32), -(2**32) - 1, -(2**53) - 1, -(2**63)],
    "empty": [{}, [], "", b"", [[]], [{}]],
    "simple": [None, True, False],
    "control characters": "".join(map(chr, range(33))) + '"\\/\x7f\x80\u2028\u2029\ufeff\uffff',
    "scripts": {"天幕": 1, "ключ": 2, "é": 3, "😀": 4, "a\0b": 5, "": 6},
    "bytes": [b"f", b"fo", b"foo", bytes(range(256))],
    "links": [CID, frames.link(frames.cid(b"blob", frames.RAW))],
    "legacy blob": {"cid": frames.cid_text(frames.cid(b"")), "mimeType": "image/png"},
    "blob": {"$type": "blob", "ref": CID, "mimeType": "image/png", "size": 1},
    "128 deep with the record": frames.nested(127),
    "long text": "ä" * 70000,
    "wide": list(range(70000)),
}
BAD_VALUES = {
    "float": 1.5,
    "float 16": Raw(b"\xf9\x3c\x00"),
    "float 32": Raw(b"\xfa\x3f\x80\x00\x00"),
    "float 64": Raw(b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
    "NaN": Raw(b"\xf9\x7e\x00"),
    "undefined": Raw(b"\xf7"),
    "simple 0": Raw(b"\xe0"),
    "simple 32": Raw(b"\xf8\x20"),
    "false in two bytes": Raw(b"\xf8\x14"),
    "break": Raw(b"\xff"),
    "reserved": Raw(b"\x1c"),
    "below -2^63": -(2**63) - 1,
    "-2^64": -(2**64),
    "bignum": 2**64,
    "not shortest 1": Raw(b"\x18\x17"),
    "not shortest 2": Raw(b"\x19\x00\xff"),
    "not shortest 4": Raw(b"\x1a\x00\x00\xff\xff"),
    "not shortest 8": Raw(b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff"),
    "not shortest negative": Raw(b"\x38\x17"),
    "not shortest text": Raw(b"\x78\x01a"),
    "not shortest bytes": Raw(b"\x59\x00\x01a"),
    "not shortest array": Raw(b"\x98\x01\x00"),
    "not shortest map": Raw(b"\xb8\x01\x61a\x00"),
    "not shortest tag": Raw(b"\xd9\x00\x2a" + frames.cbor(CID)[2:]),
    "indefinite bytes": Raw(b"\x5f\x41a\xff"),
    "indefinite text": Raw(b"\x7f\x61a\xff"),
    "indefinite array": Raw(b"\x9f\x00\xff"),
    "indefinite map": Raw(b"\xbf\x61a\x00\xff"),
    "bad UTF-8": Raw(b"\x62\xc3\x28"),
    "overlong UTF-8": Raw(b"\x62\xc0\xaf"),
    "lone surrogate": Raw(b"\x63\xed\xa0\x80"),
    "cut UTF-8": Raw(b"\x61\xc3"),
    "above U+10FFFF": Raw(b"\x64\xf4\x90\x80\x80"),
    "bad UTF-8 in a key": frames.raw_map((Raw(b"\x61\xff"), 1)),
    "unsorted": frames.raw_map(("b", 1), ("a", 2)),
    "longer first": frames.raw_map(("aa", 1), ("b", 2)),
    "duplicate key": frames.raw_map(("a", 1), ("a", 2)),
    "key is a number": frames.raw_map((1, 1)),
    "key is bytes": frames.raw_map((b"a", 1)),
    "key is null": frames.raw_map((None, 1)),
    "tag 0": cbor2.CBORTag(0, "2026-01-01T00:00:00Z"),
    "tag 41": cbor2.CBORTag(41, b"\0" + frames.cid(b"")),
    "self-described": cbor2.CBORTag(55799, 1),
    "tag 42 text": cbor2.CBORTag(42, frames.cid_text(frames.cid(b""))),
    "tag 42 tag 42": Raw(b"\xd8\x2a" + frames.cbor(CID)),
    "tag 42 without 0x00": cbor2.CBORTag(42, b"\1" + frames.cid(b"")),
    "CID without tag byte": cbor2.CBORTag(42, frames.cid(b"")),
    "CID too short": cbor2.CBORTag(42, b"\0" + frames.cid(b"")[:-1]),
    "CID too long": cbor2.CBORTag(42, b"\0" + frames.cid(b"") + b"\0"),
    "CID version 0": cbor2.CBORTag(42, b"\0" + frames.cid(b"")[2:]),
    "CID of dag-pb": frames.link(frames.cid(b"", 0x70)),
    "CID of sha2-512": frames.link(b"\1\x71\x13\x20" + b"x" * 32),
    "empty tag 42": cbor2.CBORTag(42, b""),
    "129 deep with the record": frames.nested(128),
    "4394 deep": frames.nested(4394),
    "100000 deep": frames.nested(100000),
    "deep maps": Raw(b"\xa1\x61a" * 4000 + b"\xa0"),
    "array longer than the rest": Raw(b"\x9b\x00\x00\xff\xff\xff\xff\xff\xff"),
    "array of 2^64-1": Raw(b"\x9b" + b"\xff" * 8),
    "map of 2^64-1": Raw(b"\xbb" + b"\xff" * 8),
    "map of 2^63": Raw(b"\xbb\x80" + b"\x00" * 7),
    "text of 2^64-1": Raw(b"\x7b" + b"\xff" * 8),
    "bytes of 2^64-1": Raw(b"\x5b" + b"\xff" * 8),
    "bytes longer than the rest": Raw(b"\x58\xff"),
}
LAST = "zzzzzzz"  # the longest key comes last, so the broken part is at the end


@pytest.mark.parametrize("name", GOOD_VALUES)
def test_values_of_the_data_model_are_delivered(decoder, name):
    record = {**POST, LAST: GOOD_VALUES[name]}
    answer = decoder.agree(frames.commit(1, DID, [frames.create("a/b", record)]))
    assert len(answer["data"]["ops"]) == 1


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_bad_record_costs_its_op_and_no_other(decoder, name):
    bad = frames.create("a/bad", {**POST, LAST: BAD_VALUES[name]})
    ops = [frames.create("a/1", {**POST, "n": 1}), bad, frames.create("a/2", {**POST, "n": 2})]
    answer = decoder.agree(frames.commit(1, DID, ops))
    assert [op["path"] for op in answer["data"]["ops"]] == ["a/1", "a/2"]
    assert answer["first_drop"]["op"] == 1 and answer["first_drop"]["reason"] == "bad_record"


# The depth counts from a field of the envelope: 128 levels are valid there, whatever surrounds it.
@pytest.mark.parametrize("name", sorted(BAD_VALUES.keys() - {"129 deep with the record"}))
def test_a_bad_value_in_the_envelope_refuses_the_frame(decoder, name):
    """The rule holds also for a field that firehosed does not use."""
    assert decoder.agree(frames.commit(1, DID, zzzzzzzzz=BAD_VALUES[name]))["outcome"] == "refused"


@pytest.mark.parametrize("value", [[], "text", 5, None, b"bytes", CID], ids=repr)
def test_a_record_that_is_not_a_map_is_dropped(decoder, value):
    answer = decoder.agree(frames.commit(1, DID, [frames.create("a/b", value)]))
    assert answer["dropped"]["bad_record"] == 1


@pytest.mark.parametrize("type_", [OMIT, "", None, 5, b"x", ["x"], {"$type": "x"}], ids=repr)
def test_a_record_without_a_type_is_dropped(decoder, type_):
    record = {"text": "hi", "nested": {"$type": "x"}, **({} if type_ is OMIT else {"$type": type_})}
    answer = decoder.agree(frames.commit(1, DID, [frames.create("a/b", record)]))
    assert answer["dropped"]["no_type"] == 1 and answer["data"]["ops"] == []


def test_a_field_of_the_envelope_may_be_as_deep_as_a_record(decoder):
    assert decoder(frames.commit(1, DID, zzzzzzzzz=frames.nested(128)))["outcome"] == "ready"
    assert decoder(frames.commit(1, DID, zzzzzzzzz=frames.nested(129)))["outcome"] == "refused"


def test_violations_are_told_with_their_place_in_the_frame(decoder):
    for value, rule in ((1.5, "float"), (Raw(b"\xf7"), "undefined"), (Raw(b"\x18\x17"), "shortest")):
        marker = "a rather unlikely text"
        frame = frames.commit(1, DID, [frames.create("a/b", {"$type": marker, LAST: value})])
        first = decoder(frame)["first_drop"]
        assert rule in first["rule"]
        assert first["offset"] == frame.index(LAST.encode()) + len(LAST)


# -- Blocks ---------------------------------------------------------------------------------------------------


def commit_with_blocks(ops, blocks, **fields):
    root, own = frames.commit_blocks(DID, "rev", [])
    return frames.commit(1, DID, ops, blocks=frames.car(own + blocks, [root]), **fields)


def test_an_op_without_cid_or_block_is_dropped_by_reason(decoder):
    op = frames.create("a/b", POST)
    for cid in (None, OMIT):
        answer = decoder.agree(frames.commit(1, DID, [frames.create("a/b", POST, cid=cid), frames.delete("c/d")]))
        assert answer["dropped"]["no_cid"] == 1 and len(answer["data"]["ops"]) == 1
    assert decoder.agree(commit_with_blocks([op], []))["dropped"]["no_block"] == 1
    assert decoder.agree(commit_with_blocks([op], [(op.cid, op.block + b"x")]))["dropped"]["hash_mismatch"] == 1
    assert decoder.agree(commit_with_blocks([op], [(op.cid, b"")]))["dropped"]["hash_mismatch"] == 1
    op.cid = frames.cid(op.block, frames.RAW)
    assert decoder.agree(commit_with_blocks([op], [(op.cid, op.block)]))["dropped"]["bad_record"] == 1


def test_the_first_drop_is_kept_and_all_are_counted(decoder):
    ops = [frames.create("a/1", POST), frames.create("a/2", 5), frames.create("a/3", {}), frames.create("a/4", POST, cid=None)]
    answer = decoder.agree(frames.commit(1, DID, ops))
    assert answer["first_drop"]["op"] == 1
    assert [op["path"] for op in answer["data"]["ops"]] == ["a/1"]
    assert sum(answer["dropped"].values()) == 3


def test_trailing_bytes_in_a_record_are_refused(decoder):
    block = frames.cbor(POST) + b"\0"
    op = frames.Op("create", "a/b", block, frames.cid(block))
    assert decoder.agree(frames.commit(1, DID, [op]))["dropped"]["bad_record"] == 1


@pytest.mark.parametrize("count", [1, 5, 15, 16, 17, 63, 64, 65, 190])
def test_blocks_may_come_in_any_order_and_twice(decoder, count):
    ops = [frames.create(f"a/{i}", {**POST, "n": i}) for i in range(count)]
    blocks = [(op.cid, op.block) for op in ops]
    for order in (blocks, blocks[::-1], blocks + blocks, blocks[1::2] + blocks[::2]):
        assert len(decoder.agree(commit_with_blocks(ops, order))["data"]["ops"]) == count
    assert decoder.agree(commit_with_blocks(ops, blocks[1:]))["dropped"]["no_block"] == 1


def test_digests_made_to_collide_change_nothing(decoder):
    fakes = [(b"\1\x71\x12\x20" + b"\0" * 24 + i.to_bytes(8, "big"), b"") for i in range(20000)]
    op = frames.create("a/b", POST)
    answer = decoder.agree(commit_with_blocks([op], fakes + [(op.cid, op.block)]))
    assert len(answer["data"]["ops"]) == 1


def test_blocks_with_foreign_cids_are_passed_over(decoder):
    op = frames.create("a/b", POST)
    foreign = [
        (b"\x12\x20" + b"x" * 32, b"version 0"),
        (b"\1\x70\x12\x20" + b"x" * 32, b"dag-pb"),
        (b"\1\x55\x13\x40" + b"x" * 64, b"sha2-512"),
        (b"\1\x71\x00\x03abc", b"identity"),
    ]
    answer = decoder.agree(commit_with_blocks([op], foreign + [(op.cid, op.block)]))
    assert len(answer["data"]["ops"]) == 1


ROOT_CID = frames.cid(b"")
HEADER = frames.section(frames.cbor({"version": 1, "roots": [frames.link(ROOT_CID)]}))
BROKEN_CARS = {
    "not a CAR": b"hello",
    "one byte": b"\x05",
    "zero header": b"\0",
    "length cut": b"\x80",
    "length of 11 bytes": b"\x80" * 10 + b"\1",
    "length above 64 bits": b"\xff" * 9 + b"\x02" + b"x" * 40,
    "length of 2^64-1": b"\xff" * 9 + b"\x01" + b"x" * 40,
    "version 2": frames.section(frames.cbor({"version": 2, "roots": []})),
    "version missing": frames.section(frames.cbor({"roots": []})),
    "version text": frames.section(frames.cbor({"version": "1", "roots": []})),
    "roots missing": frames.section(frames.cbor({"version": 1})),
    "roots null": frames.section(frames.cbor({"version": 1, "roots": None})),
    "root not a CID": frames.section(frames.cbor({"version": 1, "roots": ["b"]})),
    "header unsorted": frames.section(frames.cbor(frames.raw_map(("version", 1), ("roots", [])))),
    "header with more behind it": frames.section(frames.cbor({"version": 1, "roots": []}) + b"\0"),
    "header an array": frames.section(frames.cbor([1])),
    "empty block": HEADER + b"\0",
    "block cut": HEADER + frames.section(ROOT_CID + b"abc")[:-1],
    "block length cut": HEADER + b"\x80",
    "CID cut": HEADER + frames.section(ROOT_CID[:20]),
    "CID of no version": HEADER + frames.section(b"\5" * 40),
    "foreign CID cut": HEADER + frames.section(b"\1\x55\x13\x40" + b"x" * 63),
}


@pytest.mark.parametrize("name", BROKEN_CARS)
def test_a_broken_car_refuses_the_frame(decoder, name):
    frame = frames.commit(1, DID, [frames.delete("a/b")], blocks=BROKEN_CARS[name])
    assert decoder.agree(frame)["outcome"] == "refused"


def test_a_car_length_may_be_longer_than_necessary(decoder):
    op = frames.create("a/b", POST)
    long_header = bytes([HEADER[0] | 0x80, 0x80, 0]) + HEADER[1:]
    frame = frames.commit(1, DID, [op], blocks=long_header + frames.section(op.cid + op.block))
    assert len(decoder.agree(frame)["data"]["ops"]) == 1
