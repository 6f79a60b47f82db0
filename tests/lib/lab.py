"""The lab starts the parts that a test needs, and stops all of them after the test.

    def test_something(lab):
        s = lab.system(events.make(100), workers=3)     # a relay, a Redis and a firehosed, all running
        s.wait_delivered()
        s.assert_delivered()
"""

from pathlib import Path

import events as make_events
import stream
from firehosed import Firehosed, Replay
from proxy import Proxy
from redis_server import RedisServer
from relay import Relay
from waiting import wait_for


class Lab:
    def __init__(self, directory, certificates):
        self.directory = Path(directory)
        self._certificates = certificates
        self.parts = []

    @property
    def certificates(self):
        return self._certificates()

    def path(self, name):
        return self.directory / name

    def _add(self, part):
        self.parts.append(part)
        return part

    def redis(self, start=True, **options):
        server = self._add(RedisServer(self.path(f"redis{len(self.parts)}"), **options))
        return server.start() if start else server

    def relay(self, events=(), start=True, **options):
        relay = self._add(Relay(events, **options))
        return relay.start() if start else relay

    def replay(self, *arguments, **options):
        return self._add(Replay(*arguments, **options))

    def firehosed(self, start=False, wait=True, **settings):
        daemon = self._add(Firehosed(self.path(f"firehosed{len(self.parts)}"), **settings))
        return daemon.start(wait=wait) if start else daemon

    def proxy(self, name, part):
        """Starts a proxy in front of a relay or a Redis of this lab."""
        return self._add(Proxy(name, ("127.0.0.1", part.port)))

    def system_behind_proxy(self, events=(), **settings):
        """Does the same as system(), with a proxy between firehosed and Redis: `s.proxy`."""
        s = self.system(events, start=False, **settings)
        s.proxy = self.proxy("redis", s.redis)
        s.daemon.write_config(redis=f"redis://127.0.0.1:{s.proxy.port}")
        s.daemon.start()
        return s

    def system(self, events=(), *, relay=None, redis=None, start=True, wait=True, relay_options=None,
               redis_options=None, **settings):  # fmt: skip
        """Makes a relay, a Redis and a firehosed between them. `settings` are keys of the configuration file. A test
        passes `relay` or `redis` if it needs a special one."""
        relay = relay or self.relay(events, **(relay_options or {}))
        redis = redis or self.redis(**(redis_options or {}))
        settings = {"relay": relay.url, "redis": redis.url(), **settings}
        if getattr(relay, "tls", None):
            settings.setdefault("relay_ca_file", self.certificates.ca_file)
        daemon = self.firehosed(start, wait, **settings)
        return System(relay, redis, daemon)

    def end_in_order(self):
        """Stops each firehosed that still runs after a test that passed, and asserts that it stops in order."""
        for daemon in [p for p in self.parts if isinstance(p, Firehosed)]:
            if daemon.is_running():
                daemon.stop()
        errors = [e for p in self.parts if isinstance(p, Relay) for e in p.errors]
        assert not errors, "a script of the relay failed:\n" + "\n".join(errors)

    def close(self):
        for part in reversed(self.parts):
            part.close()

    def report(self):
        sections = []
        for part in self.parts:
            if isinstance(part, Firehosed):
                sections.append(("firehosed: end of the log", part.tail(60)))
            elif isinstance(part, Relay):
                sections.append(("relay", part.tail()))
            elif isinstance(part, RedisServer):
                sections.append(("redis-server: end of the log", part.log_tail(8)))
        return sections


class System:
    """A relay, a Redis and a firehosed, and the questions that concern all three."""

    def __init__(self, relay, redis, daemon):
        self.relay, self.redis, self.daemon = relay, redis, daemon
        self._db = None

    @property
    def db(self):
        if self._db is None:
            self._db = self.redis.client()
        return self._db

    @property
    def events(self):
        return self.relay.log

    def more(self, count, **options):
        """Gives the relay `count` new events, and returns them."""
        first = make_events.after(self.events) if self.events else make_events.FIRST_SEQ
        made = make_events.make(count, first, **options)
        self.relay.append(made)
        return made

    def wait_delivered(self, deadline=30):
        stream.wait_seqs(self.db, self.events, deadline)

    def wait_length(self, at_least, deadline=30):
        wait_for(lambda: self.db.xlen(stream.STREAM) >= at_least, f"{at_least} entries in the stream", deadline)

    def assert_delivered(self, strict=True, payloads=True):
        """Asserts that the stream holds all events of the relay: see stream.assert_delivered()."""
        stream.assert_delivered(self.db, self.events, strict, payloads)

    def assert_all(self, strict=True, deadline=30):
        """Waits for the last event, and asserts that the stream is complete and that the counters balance."""
        self.wait_delivered(deadline)
        self.daemon.wait_settled()
        self.assert_delivered(strict)
        if strict:
            self.daemon.assert_balance()

    def more_in_flight(self, count, **options):
        """Freezes Redis, gives the relay `count` new events, and waits until firehosed has some of them in flight. They
        stay in flight until s.redis.thaw(), however fast the machine is."""
        self.redis.freeze()
        made = self.more(count, **options)
        self.daemon.wait_status(lambda status: status["in_flight"] > 0, "to have events in flight")
        return made

    def wait_cursor(self, seq):
        """Waits until the cursor in Redis is `seq`."""
        wait_for(lambda: self.db.get(stream.CURSOR) == str(seq),
                 lambda: f"cursor {seq}, it is {self.db.get(stream.CURSOR)}")  # fmt: skip
