# firehosed in a container: built in one stage, run in another, as a user of its own.
#
#   docker build -t firehosed .
#   docker run -e RELAY_URL=wss://bsky.network -e REDIS_URL=redis://redis:6379 firehosed

FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends \
      build-essential autoconf automake pkg-config libevent-dev libssl-dev libhiredis-dev libcbor-dev libjansson-dev \
      libncurses-dev libseccomp-dev
COPY . /src
WORKDIR /src
RUN ./autogen.sh && mkdir /build && cd /build && /src/configure --prefix=/usr --sysconfdir=/etc CFLAGS='-O2 -g' \
    && make -j"$(nproc)" && make install-strip DESTDIR=/out

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends \
      ca-certificates libevent-core-2.1-7 libevent-extra-2.1-7 libssl3 libhiredis0.14 libcbor0.8 libjansson4 \
      libncursesw6 libseccomp2 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 999 firehosed \
    && useradd --system --uid 999 --gid 999 --home-dir /nonexistent --no-create-home firehosed \
    && install -d -o firehosed -g firehosed /run/firehosed
COPY --from=build /out/usr/sbin/firehosed /usr/sbin/
COPY --from=build /out/usr/bin/firehosectl /out/usr/bin/firehose-replay /usr/bin/
USER firehosed
# Every key of the configuration is a variable, FIREHOSED_STREAM_KEY for stream_key. RELAY_URL, REDIS_URL and the others of
# the replaced services work, too.
ENTRYPOINT ["/usr/sbin/firehosed", "-f"]
# Unhealthy while relay or Redis is away. "healthy" in its place would fail for the process alone.
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/usr/bin/firehosectl", "ready"]
STOPSIGNAL SIGTERM
