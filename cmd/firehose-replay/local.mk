bin_PROGRAMS += firehose-replay
firehose_replay_SOURCES = cmd/firehose-replay/main.c
firehose_replay_LDADD = libnet.a libatproto.a libbase.a \
	$(LIBCBOR_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS)
