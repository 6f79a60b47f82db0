"""The configuration: the file, the environment, the defaults, and the messages about mistakes."""

import os
import re
import subprocess

import pytest

import events
import stream
from control import ctl_json
from firehosed import ROOT, clean_environment, program, run
from processes import Process

EX_USAGE, EX_CONFIG = 64, 78


@pytest.fixture
def config_file(tmp_path):
    def write(text):
        path = tmp_path / "firehosed.conf"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def check(*arguments, **environment):
    return run("firehosed", "-t", *arguments, environment=clean_environment(**environment))


def assert_refused(done, *expected):
    assert done.returncode == EX_CONFIG, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
    for text in expected:
        assert re.search(text, done.stderr), f"{text!r} is not in {done.stderr!r}"


@pytest.mark.parametrize("name", ["firehosed", "firehosectl", "firehose-replay"])
@pytest.mark.parametrize("option", ["-V", "--version"])
def test_every_program_tells_its_version(name, option):
    done = run(name, option)
    assert done.returncode == 0
    assert re.fullmatch(rf"{name} \d+\.\d+\S*\n", done.stdout)


@pytest.mark.parametrize("name", ["firehosed", "firehosectl", "firehose-replay"])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_program_has_help_on_standard_output(name, option):
    done = run(name, option)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"usage: {name} ")


def test_help_names_the_options():
    done = run("firehosed", "-h")
    assert done.returncode == 0
    for option in ("-c", "-f", "-t", "-V", "-h"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("firehosed --no-such-option", "firehosed: --no-such-option is not an option"),
        ("firehosed -f -z", "firehosed: -z is not an option"),
        ("firehosed -fz", "firehosed: -fz is not an option"),
        ("firehosed extra", "firehosed: extra is not an option"),
        ("firehosed -c", "firehosed: -c needs a value"),
        ("firehosed --sample=woman", "firehosed: --sample: expected nothing, or =man"),
        ("firehosectl", "firehosectl: a command is missing"),
        ("firehosectl no-such-verb", "firehosectl: 'no-such-verb' is not a command"),
        ("firehosectl status --no-such-option", "firehosectl: '--no-such-option' is not an option"),
        ("firehosectl -z status", "firehosectl: '-z' is not an option"),
        ("firehosectl -s", "firehosectl: -s needs a value"),
        ("firehosectl status extra", "firehosectl: status: 'extra' is one argument too many; usage: firehosectl status"),
        ("firehosectl log-level", "firehosectl: log-level: an argument is missing; usage: firehosectl log-level LEVEL"),
        ("firehosectl workers many", "firehosectl: workers: 'many' is not a number from 1 to 64; usage: "),
        ("firehosectl status --yes", "firehosectl: status does not take the option --yes; usage: "),
        ("firehose-replay", "firehose-replay: expected a command: serve, record, generate or inspect"),
        ("firehose-replay dance", "firehose-replay: no command 'dance'"),
        ("firehose-replay serve", "firehose-replay: serve: neither CAPTURE nor --generate"),
        ("firehose-replay serve --no-such-option", "firehose-replay: serve: --no-such-option is not an option"),
        ("firehose-replay record", "firehose-replay: record: expected a URL and a FILE"),
        ("firehose-replay inspect --json --zzz x", "firehose-replay: inspect: --zzz is not an option"),
    ],
)
def test_wrong_usage_ends_with_64_and_is_one_line(command, expected):
    done = run(*command.split())
    assert (done.returncode, done.stdout) == (EX_USAGE, "")
    assert done.stderr.startswith(expected)
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n")


def test_right_file_passes_the_check(config_file):
    path = config_file("# a comment\nrelay = ws://127.0.0.1:1   # behind a value\n\nworkers = 3\nring_size = 32M\n")
    done = check("-c", path)
    assert done.returncode == 0, done.stderr


def test_no_file_means_defaults_and_they_pass():
    assert check().returncode == 0


def test_empty_file_passes(config_file):
    assert check("-c", config_file("")).returncode == 0


def test_unknown_key_is_named_with_file_and_line(config_file):
    path = config_file("\n# comment\nno_such_thing = 1\n")
    assert_refused(check("-c", path), re.escape(f"{path}:3: "), "no_such_thing")


def test_misspelt_key_brings_a_suggestion(config_file):
    assert_refused(check("-c", config_file("stream_keys = x\n")), r":1: ", r"did you mean 'stream_key'")


@pytest.mark.parametrize(("word", "level"), [("WARNING", "warn"), ("Critical", "error"), ("FATAL", "error"), ("Debug", "debug")])
def test_levels_of_python_are_accepted_in_any_case(lab, word, level):
    daemon = lab.firehosed(start=True, environment={"LOG_LEVEL": word}, relay="ws://127.0.0.1:1", redis="redis://127.0.0.1:1")
    setting = ctl_json(daemon, "config", "log_level")["settings"][0]
    assert (setting["value"], setting["origin"]) == (level, "environment variable LOG_LEVEL")


@pytest.mark.parametrize("word", ["warnin", "critical|fatal", "|", "error|"])
def test_parts_of_several_levels_are_refused(config_file, word):
    assert_refused(check("-c", config_file(f"log_level = {word}\n")), "one of: debug, info, warn, error$")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("workers = many", r"auto, or a number"),
        ("workers = 65", r"auto, or a number from 1 to 64"),
        ("workers = -1", r"auto, or a number"),
        ("ring_size = 16X", r"a size from"),
        ("relay_ping_interval = soon", r"a time from"),
        ("relay_ping_interval = 30 parsecs", r"a time from"),
        ("log_level = loud", r"one of: debug, info, warn, error"),
        ("stream_max_len = 9223372036854775808", r"a number from"),
        ("stream_key =", r"text of 1 to 255 bytes"),
        ("stream_key", r"key = value"),
        ('stream_key = "open', r"quotes"),
        ("relay_idle_timeout = 20s", r"relay_ping_interval"),
        ("ring_size = 8M", r"relay_max_message"),
    ],
)
def test_wrong_value_is_refused_with_what_was_expected(config_file, line, expected):
    path = config_file(f"# first line\n{line}\n")
    assert_refused(check("-c", path), re.escape(f"{path}:2: "), expected)


WRONG = {
    "workers = 0": r"workers: '0' is not valid, expected auto, or a number from 1 to 64",
    "collections = app.bsky": r"collections: 'app\.bsky' is not a collection .*did you mean 'app\.bsky\.\*'",
    "relay = https://bsky.network": r"relay: 'https://bsky\.network' .*did you mean 'wss://bsky\.network'",
    "relay_ca_file = /no/authorities.pem": r"relay_ca_file: '?/no/authorities\.pem.*No such file",
    "redis_ca_file = /no/redis.pem": r"redis_ca_file: '?/no/redis\.pem.*No such file",
    "dids_file = /no/dids": r"dids_file: .*/no/dids.*No such file",
    "log_file = /no/folder/log": r"log_file: '/no/folder/log' cannot be written: No such file.*expected",
    "pid_file = /no/folder/pid": r"pid_file: '/no/folder/pid' cannot be made: No such file.*expected",
    "control_socket = /no/folder/socket": r"control_socket: '/no/folder/socket' cannot be made: No such file.*expected",
    "user = nobody-of-that-name": r"user: there is no user 'nobody-of-that-name'",
    "log_level = loud": r"log_level: 'loud' is not valid, expected one of",
    "no_such_key = 1": r"unknown key 'no_such_key'",
}


@pytest.mark.parametrize("command", [["-t"], ["-f"]])
@pytest.mark.parametrize("line", WRONG)
def test_check_finds_what_a_start_finds(config_file, command, line):
    path = config_file(f"# first line\n{line}\n")
    done = run("firehosed", *command, "-c", path)
    assert done.returncode == (1 if "/no/folder" in line else EX_CONFIG), done.stderr
    (told,) = done.stderr.splitlines()
    assert re.search(re.escape(f"{path}:2: ") + WRONG[line], told)


@pytest.mark.parametrize("command", [["-t"], ["-f"]])
def test_all_errors_come_at_once(config_file, command):
    path = config_file("".join(f"{line}\n" for line in WRONG))
    done = run("firehosed", *command, "-c", path)
    assert done.returncode == EX_CONFIG
    told = done.stderr.splitlines()
    assert len(told) == len(WRONG), done.stderr
    for number, expected in enumerate(WRONG.values(), 1):
        assert any(re.search(re.escape(f"{path}:{number}: ") + expected, line) for line in told), expected


def test_check_changes_nothing(config_file, tmp_path):
    (folder := tmp_path / "new").mkdir()
    path = config_file(f"log_file = {folder}/log\npid_file = {folder}/pid\ncontrol_socket = {folder}/socket\n")
    assert check("-c", path).returncode == 0
    assert list(folder.iterdir()) == []


def test_check_passes_while_a_firehosed_runs_on_the_same_file(lab):
    s = lab.system(events.make(10), log_file=lab.path("log"))
    s.assert_all()
    done = check("-c", s.daemon.config)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("relay", "http://127.0.0.1"),
        ("relay", "wss://"),
        ("relay", "ws://host:99999"),
        ("relay", "ws://[::1"),
        ("relay", "ws://[[]"),
        ("relay", "ws://[not-an-address]:80"),
        ("relay", "not a url"),
        ("relay", "redis://127.0.0.1"),
        ("redis", "http://127.0.0.1"),
        ("redis", "redis://127.0.0.1/zero"),
        ("redis", "redis://127.0.0.1:0x1"),
        ("redis", "ws://127.0.0.1"),
    ],
)
def test_wrong_url_is_refused_with_file_and_line(config_file, key, url):
    path = config_file(f"\n{key} = {url}\n")
    assert_refused(check("-c", path), re.escape(f"{path}:2: "), key)


def test_password_in_a_wrong_url_is_not_shown(config_file):
    done = check("-c", config_file("redis = redis://user:very-secret@host:port\n"))
    assert_refused(done, r":1: ")
    assert "very-secret" not in done.stdout + done.stderr


def test_key_given_twice_is_refused_with_both_lines(config_file):
    assert_refused(check("-c", config_file("workers = 2\nworkers = 3\n")), r":2: ", r"line 1")


def test_binary_file_is_refused(config_file):
    assert_refused(check("-c", config_file(b"workers = 2\n\0\0\0\n")), r":2: ")


def test_missing_file_is_refused_by_name(tmp_path):
    missing = tmp_path / "nowhere.conf"
    assert_refused(check("-c", missing), re.escape(str(missing)), r"No such file")


def test_directory_instead_of_a_file_is_refused(tmp_path):
    assert_refused(check("-c", tmp_path), re.escape(str(tmp_path)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_file_without_permission_is_refused(config_file):
    path = config_file("")
    path.chmod(0)
    assert_refused(check("-c", path), re.escape(str(path)), r"Permission denied")


def test_wrong_environment_variable_is_named():
    assert_refused(check(REDIS_MAX_STREAM_LEN="lots"), r"REDIS_MAX_STREAM_LEN", r"a number")
    assert_refused(check(LOG_LEVEL="loud"), r"LOG_LEVEL", r"one of")
    assert_refused(check(RELAY_URL="gopher://x"), r"RELAY_URL")


def test_every_key_can_come_from_the_environment():
    sample = run("firehosed", "--sample").stdout
    defaults = re.findall(r"^#(\w+) = (.*)$", sample, re.M)
    done = check(**{f"FIREHOSED_{key.upper()}": default for key, default in defaults})
    assert done.returncode == 0, done.stderr
    for key, _ in defaults:
        variable = f"FIREHOSED_{key.upper()}"
        assert_refused(check(**{variable: "x" * 4090}), rf"environment variable {variable}: {key}: ")


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("FIREHOSED_WORKER", "did you mean FIREHOSED_WORKERS?"),
        ("FIREHOSED_STREAM_KEYS", "did you mean FIREHOSED_STREAM_KEY?"),
        ("FIREHOSED_RELAY_URL", "did you mean RELAY_URL, or FIREHOSED_RELAY?"),
        ("FIREHOSED_LOG_LEVEL_", "did you mean FIREHOSED_LOG_LEVEL?"),
        ("FIREHOSED_workers", "did you mean FIREHOSED_WORKERS?"),
        ("FIREHOSED_NOTHING_AT_ALL_LIKE_IT", "see firehosed.conf"),
        ("FIREHOSED_", "see firehosed.conf"),
        ("FIREHOSED_HTTP_PORT", "see firehosed.conf"),
    ],
)
def test_unknown_variable_is_refused_with_a_suggestion(variable, suggestion):
    assert_refused(check(**{variable: "9117"}), rf"environment variable {variable}: unknown", re.escape(suggestion))


def test_variables_that_a_cluster_sets_for_a_service_of_this_name_are_no_error():
    address = "tcp://10.0.0.1:9117"
    done = check(
        FIREHOSED_SERVICE_HOST="10.0.0.1", FIREHOSED_SERVICE_PORT="9117", FIREHOSED_SERVICE_PORT_HTTP="9117",
        FIREHOSED_PORT=address, FIREHOSED_PORT_9117_TCP=address, FIREHOSED_PORT_9117_TCP_PROTO="tcp",
        FIREHOSED_PORT_9117_TCP_PORT="9117", FIREHOSED_PORT_9117_TCP_ADDR="10.0.0.1",
        FIREHOSED_METRICS_SERVICE_HOST="10.0.0.1", FIREHOSED_METRICS_PORT=address,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_own_variable_wins_over_the_one_of_the_replaced_services():
    assert check(FIREHOSED_RELAY="ws://own", RELAY_URL="gopher://other").returncode == 0
    assert_refused(check(FIREHOSED_RELAY="gopher://own", RELAY_URL="ws://other"), r"environment variable FIREHOSED_RELAY")


def test_empty_variable_is_an_empty_value():
    assert check(FIREHOSED_PID_FILE="", FIREHOSED_HTTP_LISTEN="").returncode == 0
    assert_refused(check(FIREHOSED_RELAY=""), r"environment variable FIREHOSED_RELAY")
    assert check(RELAY_URL="").returncode == 0  # the replaced services ignored an empty one


def test_environment_wins_over_the_file(lab):
    s = lab.system(events.make(20), start=False)
    wrong_place = lab.redis()
    s.daemon.write_config(redis=wrong_place.url(), relay="ws://127.0.0.1:9", stream_key="from:file", workers=3)
    s.daemon.environment = {
        "RELAY_URL": s.relay.url,
        "REDIS_URL": s.redis.url(),
        "REDIS_STREAM_KEY": "from:environment",
        "REDIS_CURSOR_KEY": "cursor:environment",
        "LOG_LEVEL": "debug",
        "FIREHOSED_WORKERS": "1",
    }
    s.daemon.start()
    s.daemon.wait_workers(1)
    shown = run("firehosectl", "-s", s.daemon.control_socket, "config", "workers").stdout
    assert "environment variable FIREHOSED_WORKERS" in shown
    last = s.events[-1].seq
    s.daemon.wait_log(r" debug ")
    s.daemon.wait_status(lambda st: st["cursor"] == str(last), "to reach the end")
    s.daemon.stop()
    assert s.db.get("cursor:environment") == str(last)
    assert s.db.xlen("from:environment") == sum(e.is_delivered for e in s.events)
    assert wrong_place.client().dbsize() == 0


def can_unshare():
    return subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/run"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="needs a mount namespace, to have a /run of its own")
def test_environment_alone_is_enough_as_in_a_container(lab):
    s = lab.system(events.make(20), start=False)
    command = f"mount -t tmpfs none /run && exec {program('firehosed')} -f"
    environment = clean_environment(RELAY_URL=s.relay.url, REDIS_URL=s.redis.url())
    with open(s.daemon.stderr, "ab") as stderr:
        s.daemon.process = Process(["unshare", "-rm", "sh", "-c", command], environment, stderr=stderr)
    s.daemon.wait_log(r"Connected to firehose successfully")
    assert s.relay.wait_upgraded(1).cursor is None  # the default is live
    fresh = s.more(100)
    stream.wait_seqs(s.db, fresh)
    s.daemon.stop()
    s.wait_cursor(fresh[-1].seq)
    stream.assert_delivered(s.db, fresh)


def test_wrong_file_stops_the_start_too(lab):
    daemon = lab.firehosed(start=False, no_such_key="1")
    daemon.start(wait=False)
    daemon.wait_exit(EX_CONFIG)
    assert re.search(rf"{re.escape(str(daemon.config))}:\d+: .*no_such_key", daemon.log())


def test_sample_is_the_file_that_is_shipped():
    done = run("firehosed", "--sample")
    assert done.returncode == 0
    assert done.stdout == (ROOT / "conf" / "firehosed.conf").read_text()


def test_sample_passes_the_check_as_it_is_and_with_every_default_written_out(config_file):
    sample = run("firehosed", "--sample").stdout
    assert check("-c", config_file(sample)).returncode == 0
    keys = re.findall(r"^#(\w+) = ", sample, re.M)
    assert len(keys) > 20 and len(set(keys)) == len(keys)
    written_out = re.sub(r"^#(\w+ = )", r"\1", sample, flags=re.M)
    done = check("-c", config_file(written_out))
    assert done.returncode == 0, done.stderr


def test_manual_lists_every_key():
    keys = re.findall(r"^#(\w+) = ", run("firehosed", "--sample").stdout, re.M)
    manual = run("firehosed", "--sample=man")
    assert manual.returncode == 0
    plain = manual.stdout.replace("\\", "")
    assert [key for key in keys if key not in plain] == []
