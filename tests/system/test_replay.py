"""firehose-replay as a developer uses it: recording, and generated frames."""

import json
import re
import time
from datetime import datetime

import pytest

import events
import frames
from firehosed import Replay, run


def record(url, path, *options):
    return run("firehose-replay", "record", url, path, *options)


def inspect(path):
    done = run("firehose-replay", "inspect", path, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def replay():
    made = []

    def start(*arguments, **options):
        made.append(Replay(*arguments, **options))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_recording_has_the_frames_of_the_relay(lab, tmp_path):
    relay = lab.relay(events.make(20))
    done = record(relay.url, tmp_path / "frames", "--cursor", 0, "--count", 20)
    assert done.returncode == 0, done.stderr
    assert [frame["seq"] for frame in inspect(tmp_path / "frames")] == [event.seq for event in relay.log]


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_failed_recording_leaves_an_earlier_capture_alone(tmp_path, options):
    path = tmp_path / "frames"
    path.write_bytes(b"an earlier capture")
    done = record("ws://127.0.0.1:1", path, *options)
    assert done.returncode == 1
    assert path.read_bytes() == b"an earlier capture"


def test_error_of_the_relay_leaves_an_earlier_capture_alone(replay, tmp_path):
    path = tmp_path / "frames"
    path.write_bytes(b"an earlier capture")
    relay = replay("--future-cursor", "error", "--count", "10", "--rate", "100")
    done = record(relay.url, path, "--cursor", 99_000_000_000, "--force")
    assert done.returncode == 1 and "the relay says FutureCursor" in done.stderr
    assert path.read_bytes() == b"an earlier capture"


@pytest.mark.parametrize("command", [["record"], ["generate"]])
def test_existing_file_is_replaced_on_demand_only(replay, tmp_path, command):
    path = tmp_path / "frames"
    path.write_bytes(b"precious")
    place = [replay().url, path] if command == ["record"] else [path]
    done = run("firehose-replay", *command, *place, "--count", 3)
    assert done.returncode == 1 and "--force replaces it" in done.stderr and done.stderr.count("\n") == 1
    assert path.read_bytes() == b"precious"
    done = run("firehose-replay", *command, *place, "--count", 3, "--force")
    assert done.returncode == 0, done.stderr
    assert len(inspect(path)) == 3


def test_recording_without_any_frame_fails_and_leaves_no_file(lab, tmp_path):
    relay = lab.relay([])
    done = record(relay.url, tmp_path / "frames", "--seconds", 1)
    assert done.returncode == 1 and "no frame came" in done.stderr
    assert not (tmp_path / "frames").exists()


TIME = re.compile(rb"\x64time\x78\x18(.{24})")


def times(path):
    """Returns the time of each frame of a capture, as seconds since 1970."""
    texts = [TIME.search(frame)[1].decode() for frame in frames.read_capture(path)]
    return [datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() for text in texts]


def test_generated_frames_carry_the_time_of_their_sending(replay, tmp_path):
    now, own, made = (tmp_path / name for name in ("now", "own", "made"))
    started = time.time()
    assert record(replay().url, now, "--cursor", 0, "--count", 200).returncode == 0
    assert record(replay("--no-now").url, own, "--cursor", 0, "--count", 200).returncode == 0
    assert run("firehose-replay", "generate", made, "--count", 200).returncode == 0
    assert all(started - 0.002 <= at <= time.time() for at in times(now))
    assert own.read_bytes() == made.read_bytes()
    assert [TIME.sub(b"", frame) for frame in frames.read_capture(now)] == [
        TIME.sub(b"", frame) for frame in frames.read_capture(own)
    ]


def test_frames_of_a_capture_keep_their_time_unless_an_option_says_otherwise(replay, tmp_path):
    kept, stamped, made = (tmp_path / name for name in ("kept", "stamped", "made"))
    assert run("firehose-replay", "generate", made, "--count", 50).returncode == 0
    assert record(replay(source=made).url, kept, "--cursor", 0, "--count", 50).returncode == 0
    assert kept.read_bytes() == made.read_bytes()
    started = time.time()
    assert record(replay("--now", source=made).url, stamped, "--cursor", 0, "--count", 50).returncode == 0
    assert all(started - 0.002 <= at <= time.time() for at in times(stamped))


def test_firehosed_is_live_on_generated_frames(lab):
    replay = lab.replay("--rate", "200")
    daemon = lab.firehosed(relay=replay.url, redis=lab.redis().url()).start()
    status = daemon.wait_status(lambda s: s["lag_s"] is not None, "to know its lag")
    assert status["lag_s"] < 60
    assert not daemon.log_lines("behind the network")


def test_cursor_that_the_relay_ignores_is_told(replay, tmp_path):
    relay = replay("--rate", "200")
    done = record(relay.url, tmp_path / "frames", "--cursor", 99_000_000_000, "--count", 5)
    assert done.returncode == 0
    assert "the relay ignores the cursor 99000000000, it is in the future: the first event has seq 31" in done.stderr
    good = record(relay.url, tmp_path / "again", "--cursor", 31_000_000_001, "--count", 5)
    assert good.returncode == 0 and "ignores" not in good.stderr
