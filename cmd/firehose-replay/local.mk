bin_PROGRAMS += firehose-replay
firehose_replay_SOURCES = cmd/firehose-replay/main.c
firehose_replay_LDADD = $(replay_link)

# All but main(), so that unit tests can link with it.
noinst_LIBRARIES += libreplay.a
libreplay_a_SOURCES = \
	cmd/firehose-replay/capture.c cmd/firehose-replay/capture.h \
	cmd/firehose-replay/car_write.c cmd/firehose-replay/car_write.h \
	cmd/firehose-replay/cbor_write.c cmd/firehose-replay/cbor_write.h \
	cmd/firehose-replay/client.c cmd/firehose-replay/client.h \
	cmd/firehose-replay/client_faults.c cmd/firehose-replay/client_faults.h \
	cmd/firehose-replay/client_feed.c cmd/firehose-replay/client_feed.h \
	cmd/firehose-replay/client_message.c cmd/firehose-replay/client_message.h \
	cmd/firehose-replay/client_request.c cmd/firehose-replay/client_request.h \
	cmd/firehose-replay/commit_make.c cmd/firehose-replay/commit_make.h \
	cmd/firehose-replay/dice.h \
	cmd/firehose-replay/faults.c cmd/firehose-replay/faults.h \
	cmd/firehose-replay/generate.c cmd/firehose-replay/generate.h \
	cmd/firehose-replay/inspect.c \
	cmd/firehose-replay/inspect_summary.c cmd/firehose-replay/inspect_summary.h \
	cmd/firehose-replay/options.c cmd/firehose-replay/options.h \
	cmd/firehose-replay/poison.c cmd/firehose-replay/poison.h \
	cmd/firehose-replay/post_make.c cmd/firehose-replay/post_make.h \
	cmd/firehose-replay/post_text.c cmd/firehose-replay/post_text.h \
	cmd/firehose-replay/record.c \
	cmd/firehose-replay/record_link.c cmd/firehose-replay/record_link.h \
	cmd/firehose-replay/record_make.c cmd/firehose-replay/record_make.h \
	cmd/firehose-replay/record_parts.c cmd/firehose-replay/record_parts.h \
	cmd/firehose-replay/repo_model.c cmd/firehose-replay/repo_model.h \
	cmd/firehose-replay/sequence.c cmd/firehose-replay/sequence.h \
	cmd/firehose-replay/serve.c \
	cmd/firehose-replay/serve_client.c cmd/firehose-replay/serve_client.h \
	cmd/firehose-replay/serve_options.c cmd/firehose-replay/serve_options.h \
	cmd/firehose-replay/server.c cmd/firehose-replay/server.h \
	cmd/firehose-replay/stamps.c cmd/firehose-replay/stamps.h \
	cmd/firehose-replay/tree_make.c cmd/firehose-replay/tree_make.h

replay_link = libreplay.a libnet.a libatproto.a libbase.a \
	$(JANSSON_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS)
