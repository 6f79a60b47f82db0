"""A TCP server without a protocol: it runs `talk(reader, writer)` on each connection."""

import asyncio


class RawServer:
    """`run` runs a coroutine in an event loop that goes on afterwards, as Relay.run does."""

    def __init__(self, run, talk):
        self.talk, self.accepted = talk, 0
        run(self._start())

    async def _start(self):
        async def on_connection(reader, writer):
            self.accepted += 1
            try:
                await self.talk(reader, writer)
            except OSError:
                pass
            writer.close()

        self.server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
