sbin_PROGRAMS += firehosed
firehosed_SOURCES = cmd/firehosed/main.c cmd/firehosed/pidfile.c cmd/firehosed/pidfile.h \
	cmd/firehosed/start_check.c cmd/firehosed/start_check.h
firehosed_LDADD = libmaster.a libhttp.a libcontrol.a libstats.a libstore.a libpool.a librelay.a libring.a libworker.a \
	libipc.a libredis.a libnet.a libatproto.a libbase.a \
	$(HIREDIS_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(SECCOMP_LIBS)
