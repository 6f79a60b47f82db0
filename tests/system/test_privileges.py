"""A daemon that starts as root opens its files and sockets, and then becomes the configured user for good."""

import grp
import os
import pwd
import re
import signal
import stat
import subprocess

import pytest

import events
import stream
from firehosed import clean_environment, program, run
from processes import status_fields

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
USER = pwd.getpwnam("nobody")
GROUP = grp.getgrnam("daemon")


@pytest.fixture
def lab(lab):
    """A lab in a folder that other users may enter."""
    lab.directory.chmod(0o755)
    return lab


def system(lab, made=(), owned=True, start=True, **settings):
    """Returns a firehosed that becomes nobody. Its folder belongs to nobody or to root."""
    s = lab.system(made, start=False, **{"user": USER.pw_name, **settings})
    if owned:
        os.chown(s.daemon.directory, USER.pw_uid, USER.pw_gid)
    s.daemon.config.chmod(0o644)
    return s.daemon.start() and s if start else s


def values(pid, *names):
    return [value.split() for value in status_fields(pid, *names)]


@needs_root
def test_master_and_workers_are_the_user_and_nothing_more(lab):
    s = system(lab, events.make(500))
    s.assert_all()
    pids = [s.daemon.master_pid(), *s.daemon.wait_workers(2)]
    for pid in pids:
        uids, gids, groups = values(pid, "Uid", "Gid", "Groups")
        assert uids == [str(USER.pw_uid)] * 4
        assert gids == [str(USER.pw_gid)] * 4
        assert set(groups) <= {str(USER.pw_gid)}
        for caps in values(pid, "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(caps[0], 16) == 0
        assert values(pid, "NoNewPrivs") == [["1"]]
    s.daemon.wait_log("running as user nobody")


@needs_root
def test_group_may_be_another_than_the_users(lab):
    s = system(lab, events.make(50), group=GROUP.gr_name)
    s.assert_all()
    assert values(s.daemon.master_pid(), "Gid") == [[str(GROUP.gr_gid)] * 4]


@needs_root
def test_control_socket_belongs_to_the_user_and_the_group_that_is_configured(lab):
    s = system(lab, events.make(50), control_socket_group=GROUP.gr_name)
    s.assert_all()
    there = s.daemon.control_socket.stat()
    assert (there.st_uid, there.st_gid) == (USER.pw_uid, GROUP.gr_gid)
    assert stat.S_IMODE(there.st_mode) == 0o660


@needs_root
def test_in_a_folder_of_its_own_it_leaves_nothing_behind(lab):
    s = system(lab, events.make(50))
    s.assert_all()
    s.daemon.stop()
    assert not s.daemon.control_socket.exists()
    assert not s.daemon.pid_file.exists()


@needs_root
def test_in_a_folder_of_root_what_is_left_behind_is_harmless(lab):
    s = system(lab, events.make(50), owned=False)
    s.assert_all()
    s.daemon.stop()
    assert s.daemon.pid_file.read_text() == ""  # so a signal meant for firehosed cannot reach another process
    s.daemon.start()
    s.more(50)
    s.assert_all()


@needs_root
def test_log_is_opened_as_the_user_so_that_it_can_be_opened_again(lab):
    s = system(lab, events.make(50), start=False)
    log = s.daemon.directory / "own.log"
    s.daemon.write_config(log_file=log)
    s.daemon.config.chmod(0o644)
    s.daemon.start()
    s.assert_all()
    assert log.stat().st_uid == USER.pw_uid
    log.rename(log.with_suffix(".1"))
    s.daemon.signal(signal.SIGUSR1)
    s.daemon.wait_log("SIGUSR1: log opened again")
    assert log.stat().st_uid == USER.pw_uid


@needs_root
def test_log_that_root_alone_could_make_is_made_for_the_user(lab):
    folder = lab.path("log")
    folder.mkdir()
    s = system(lab, events.make(50), log_file=folder / "new.log")
    s.assert_all()
    there = (folder / "new.log").stat()
    assert (there.st_uid, stat.S_IMODE(there.st_mode)) == (USER.pw_uid, 0o640)


@needs_root
@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_log_that_is_a_link_of_the_users_to_a_file_of_root_is_not_opened(lab, kind):
    """The user may write to this folder, and can prepare it before root starts the daemon."""
    s = system(lab, start=False)
    secret, log = lab.path("secret"), s.daemon.directory / "own.log"
    secret.write_text("root's")
    secret.chmod(0o600)
    log.symlink_to(secret) if kind == "symbolic" else os.link(secret, log)
    s.daemon.write_config(log_file=log)
    s.daemon.start(wait=False)
    s.daemon.wait_exit(1)
    assert s.daemon.stderr.read_text().count("Permission denied") == 1
    assert (secret.read_text(), secret.stat().st_uid) == ("root's", 0)


@needs_root
def test_process_id_file_that_is_a_link_is_not_followed(lab):
    s = system(lab, start=False)
    secret = lab.path("secret")
    secret.write_text("root's")
    s.daemon.pid_file.symlink_to(secret)
    s.daemon.start(wait=False)
    s.daemon.wait_exit(1)
    assert secret.read_text() == "root's"


@needs_root
def test_reload_reads_the_file_as_the_user(lab):
    s = system(lab, events.make(100))
    s.assert_all()
    s.daemon.reload(workers=3)
    s.daemon.config.chmod(0o644)
    s.daemon.signal(signal.SIGHUP)
    s.daemon.wait_workers(3)
    s.daemon.config.chmod(0o600)
    s.daemon.signal(signal.SIGHUP)
    s.daemon.wait_log("reload: .*Permission denied.*the old configuration stays")
    s.more(100)
    s.assert_all()


@needs_root
def test_in_the_background_too(lab):
    s = system(lab, events.make(50), start=False, log_file=lab.path("background.log"))
    assert s.daemon.start_in_background() == 0
    stream.wait_seqs(s.db, s.events)
    assert values(s.daemon.master_pid(), "Uid") == [[str(USER.pw_uid)] * 4]


@needs_root
def test_root_without_a_user_is_advised(lab):
    s = system(lab, events.make(10), user=None)
    s.daemon.wait_log("warn .*running as root: set user")


@pytest.mark.parametrize("key", ["user", "group", "control_socket_group"])
def test_unknown_name_is_told_with_its_place(lab, key):
    s = lab.system(start=False, **{key: "no-such-name"})
    done = run("firehosed", "-t", "-c", s.daemon.config)
    assert done.returncode == 78
    assert re.search(rf"firehosed\.conf:\d+: {key}: there is no (user|group) 'no-such-name'", done.stderr)


@needs_root
def test_who_is_not_root_cannot_become_another_and_is_told_so(lab):
    s = system(lab, start=False, user="daemon")
    try:
        done = subprocess.run(
            [program("firehosed"), "-f", "-c", s.daemon.config], capture_output=True, text=True, timeout=30, cwd="/",
            env=clean_environment(), user=USER.pw_uid, group=USER.pw_gid, extra_groups=[],
        )  # fmt: skip
    except PermissionError:
        pytest.skip("the build is in a folder that others may not enter")
    assert done.returncode == 78
    assert "only root can become another" in done.stderr


@needs_root
def test_who_is_not_root_runs_in_a_sandbox_too(lab):
    """root in a container may have no capability at all, not even the one that empties the bounding set."""
    s = lab.system(events.make(200), start=False)
    folder = s.daemon.directory
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    s.daemon.config.chmod(0o644)
    try:
        started = subprocess.Popen(
            [program("firehosed"), "-f", "-c", s.daemon.config], stdin=subprocess.DEVNULL, cwd="/",
            env=clean_environment(), user=USER.pw_uid, group=USER.pw_gid, extra_groups=[], start_new_session=True,
            stdout=open(s.daemon.stderr, "ab"), stderr=subprocess.STDOUT,
        )  # fmt: skip
    except PermissionError:
        pytest.skip("the build is in a folder that others may not enter")
    s.daemon.sessions.add(started.pid)
    stream.wait_seqs(s.db, s.events)
    for pid in s.daemon.wait_workers(2):
        assert values(pid, "NoNewPrivs", "Seccomp", "CapEff") == [["1"], ["2"], ["0" * 16]]
    started.send_signal(signal.SIGTERM)
    assert started.wait(20) == 0
