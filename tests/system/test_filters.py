"""Filters for collections, kinds and repos, from the configuration and changed by a reload."""

import os
import re

import pytest

import events
import frames
import stream
from firehosed import clean_environment, run

POST, LIKE = "app.bsky.feed.post", "app.bsky.feed.like"


def record(collection, **fields):
    return {"$type": collection, "createdAt": frames.TIME, **fields}


def mixed(seq, did):
    """Returns a commit with operations on three collections."""
    return events.Event(seq, did, frames.commit(seq, did, [
        frames.create(f"{POST}/3k2a", record(POST, text="hello")),
        frames.create(f"{LIKE}/3k2b", record(LIKE)),
        frames.delete("app.bsky.graph.follow/3k2c"),
    ]))  # fmt: skip


def one(seq, did, collection):
    return events.Event(seq, did, frames.commit(seq, did, [frames.create(f"{collection}/3k2a", record(collection))]))


def paths(db):
    return {e.seq: [op["path"].split("/")[0] for op in e.data["ops"]] for e in stream.entries(db)}


def wait_done(s):
    s.daemon.wait_status(lambda st: st["cursor"] == str(s.events[-1].seq), "to reach the end")
    s.daemon.wait_settled()
    s.daemon.assert_balance()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"collections": POST}, {1001: [POST], 1002: [POST]}),
        ({"collections": f"{POST}, {LIKE}"}, {1001: [POST, LIKE], 1002: [POST], 1003: [LIKE]}),
        ({"collections": "app.bsky.feed.*"}, {1001: [POST, LIKE], 1002: [POST], 1003: [LIKE]}),
        ({"collections": "app.bsky.feed.*", "exclude_collections": LIKE}, {1001: [POST], 1002: [POST]}),
        ({"exclude_collections": "app.bsky.feed.*"},
         {1001: ["app.bsky.graph.follow"], 1004: ["com.example.thing"]}),
        ({"exclude_collections": "*"}, {}),
    ],
)  # fmt: skip
def test_only_wanted_collections_are_written(lab, settings, expected):
    did = events.repo(1)
    log = [mixed(1001, did), one(1002, did, POST), one(1003, did, LIKE), one(1004, did, "com.example.thing")]
    s = lab.system(log, **settings)
    wait_done(s)
    assert paths(s.db) == expected
    status = s.daemon.status()
    assert status["written"] == len(expected)
    assert status["filtered"] == 4 - len(expected)


def test_filtered_operation_is_not_even_decoded(lab):
    """A filtered record may be broken: it makes no dead letter, and no counter of refusals rises."""
    did = events.repo(1)
    broken = frames.create(f"{LIKE}/3k2b", record(LIKE, bad=float("nan")))
    s = lab.system([events.Event(1001, did, frames.commit(1001, did, [
        frames.create(f"{POST}/3k2a", record(POST, text="hello")), broken]))], collections=POST)  # fmt: skip
    wait_done(s)
    assert paths(s.db) == {1001: [POST]}
    assert s.db.xlen(stream.DEAD_LETTERS) == 0
    assert s.daemon.status()["ops_left_out"]["ops_filtered"] == 1


def test_commit_without_operations_is_written_unless_there_is_a_filter(lab):
    did = events.repo(1)
    s = lab.system([events.Event(1001, did, frames.commit(1001, did, []))])
    wait_done(s)
    assert paths(s.db) == {1001: []}
    s.daemon.reload(collections="app.bsky.*")
    s.daemon.wait_log("configuration reloaded")
    s.relay.append([events.Event(1002, did, frames.commit(1002, did, []))])
    wait_done(s)
    assert paths(s.db) == {1001: []}


def test_kinds_that_are_not_listed_are_not_written(lab):
    did = events.repo(1)
    log = [one(1001, did, POST), events.Event(1002, did, frames.identity(1002, did, "a.example")),
           events.Event(1003, did, frames.account(1003, did)), events.Event(1004, did, frames.sync(1004, did))]  # fmt: skip
    s = lab.system(log, kinds="identity account")
    wait_done(s)
    assert [e.seq for e in stream.entries(s.db)] == [1002, 1003]


def test_sync_is_written_in_the_compatible_format_when_asked_for(lab):
    did = events.repo(1)
    log = [events.Event(1001, did, frames.sync(1001, did)), one(1002, did, POST)]
    s = lab.system(log, emit_sync="yes")
    wait_done(s)
    found = stream.entries(s.db)
    assert [(e.seq, e.type) for e in found] == [(1001, "sync"), (1002, "commit")]
    assert found[0].data["did"] == did
    assert list(found[1].data) == ["repo", "ops"]  # the format is still the compatible one


def test_only_listed_repos_are_written(lab, tmp_path):
    log = events.make(1000, repos=20)
    listed = {events.repo(n) for n in range(0, 20, 3)}
    names = tmp_path / "dids"
    names.write_text("# the ones we serve\n" + "".join(f"{did}\n" for did in sorted(listed)))
    s = lab.system(log, dids_file=names)
    wait_done(s)
    wanted = [e for e in log if e.repo in listed]
    stream.assert_delivered(s.db, wanted)
    s.daemon.wait_log(f"events of {len(listed)} repos listed in")
    assert s.daemon.status()["received"] == 1000


def test_list_of_repos_is_read_again_on_reload_while_events_come(lab, tmp_path):
    names = tmp_path / "dids"
    names.write_text(f"{events.repo(0)}\n")
    s = lab.system(events.make(500, repos=4), dids_file=names)
    wait_done(s)
    before = [e for e in s.events if e.repo == events.repo(0)]
    # The list is so large that reading it takes a while. The daemon must go on meanwhile.
    names.write_text(f"{events.repo(1)}\n" + "".join(f"did:plc:{n:024d}\n" for n in range(300_000)))
    s.daemon.reload()
    s.daemon.wait_log(r"events of 300001 repos listed in")
    after = s.more(500, repos=4)
    wait_done(s)
    stream.assert_delivered(s.db, before + [e for e in after if e.repo == events.repo(1)])
    assert len(s.daemon.members()) == 3  # the master and the workers; the process that read the list has ended


def test_wrong_list_at_reload_is_named_and_the_old_one_stays(lab, tmp_path):
    names = tmp_path / "dids"
    names.write_text(f"{events.repo(0)}\n")
    s = lab.system(events.make(100, repos=4), dids_file=names)
    wait_done(s)
    names.write_text(f"{events.repo(1)}\nalice.example\n")
    s.daemon.reload()
    s.daemon.wait_log(rf"error .*reload: {re.escape(str(names))}:2: 'alice.example'.*the old configuration stays")
    os.unlink(names)
    s.daemon.reload()
    s.daemon.wait_log(r"error .*reload: .*No such file.*the old configuration stays")
    s.more(100, repos=4)
    wait_done(s)
    stream.assert_delivered(s.db, [e for e in s.events if e.repo == events.repo(0)])


def test_filters_change_under_load_and_what_was_wanted_throughout_is_all_there(lab):
    s = lab.system(workers=2)
    for count, collections in enumerate(("app.bsky.feed.*", POST, "app.bsky.feed.post, app.bsky.graph.*", "*", POST), 1):
        s.more(500)
        s.daemon.reload(collections=collections)
        s.more(500)
        s.daemon.wait_log("configuration reloaded", count)
    s.more(500)
    wait_done(s)
    found = stream.seqs(s.db)
    assert len(found) == len(set(found))
    always = {e.seq for e in s.events if e.expected[1] == "commit" and any(
        op["path"].startswith(POST) for op in e.expected[2]["ops"])}  # fmt: skip
    assert always <= set(found)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("collections = app.bsky.feed.*, posts", r":1: collections: 'posts' is not a collection"),
        ("exclude_collections = app.*.post", r":1: exclude_collections: 'app.\*.post' is not a collection"),
        ("kinds = commit, handle", r":1: kinds: 'handle' is not a kind of event"),
    ],
)
def test_wrong_filter_is_refused_with_file_and_line(tmp_path, line, expected):
    path = tmp_path / "firehosed.conf"
    path.write_text(line + "\n")
    done = run("firehosed", "-t", "-c", path, environment=clean_environment())
    assert done.returncode == 78
    assert re.search(expected, done.stderr), done.stderr


def test_list_that_is_not_there_at_start_is_named(tmp_path):
    path = tmp_path / "firehosed.conf"
    path.write_text("dids_file = /nonexistent/dids\npid_file =\ncontrol_socket =\n")
    done = run("firehosed", "-f", "-c", path, environment=clean_environment())
    assert done.returncode == 78
    assert "/nonexistent/dids: No such file" in done.stderr
