# Fuzz targets: `configure --enable-fuzzers CC=clang`; scripts/fuzz builds and runs them.
EXTRA_DIST += tests/fuzz/seeds.py tests/fuzz/cbor.dict tests/fuzz/text.dict
if FUZZERS
fuzz_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/reference -I$(top_srcdir)/tests/unit/atproto \
	-I$(top_srcdir)/src/worker
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_link = $(reference_link)

noinst_PROGRAMS += \
	tests/fuzz/fuzz_car tests/fuzz/fuzz_cbor tests/fuzz/fuzz_channel tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_control \
	tests/fuzz/fuzz_event tests/fuzz/fuzz_frame tests/fuzz/fuzz_http tests/fuzz/fuzz_record \
	tests/fuzz/fuzz_redis tests/fuzz/fuzz_text tests/fuzz/fuzz_url tests/fuzz/fuzz_value tests/fuzz/fuzz_websocket \
	tests/fuzz/fuzz_worker

tests_fuzz_fuzz_car_SOURCES = tests/fuzz/fuzz_car.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_car_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_car_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_car_LDADD = $(fuzz_link)

tests_fuzz_fuzz_cbor_SOURCES = tests/fuzz/fuzz_cbor.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_cbor_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_cbor_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_cbor_LDADD = $(fuzz_link)

tests_fuzz_fuzz_channel_SOURCES = tests/fuzz/fuzz_channel.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_channel_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_channel_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_channel_LDADD = libworker.a libipc.a libbase.a

tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_config_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_config_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_config_LDADD = libbase.a

tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz_event.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_event_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_event_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_event_LDADD = $(fuzz_link)

tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_frame_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_frame_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_frame_LDADD = $(fuzz_link)

tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_http_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_http_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_http_LDADD = $(net_link)

tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_record_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_record_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_record_LDADD = $(fuzz_link)

tests_fuzz_fuzz_redis_SOURCES = tests/fuzz/fuzz_redis.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_redis_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_redis_LDFLAGS = $(fuzz_ldflags) \
	-Wl,--wrap=exit,--wrap=redisReaderGetReply,--wrap=freeReplyObject
tests_fuzz_fuzz_redis_LDADD = $(redis_target_link)

tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_text_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_text_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_text_LDADD = libbase.a $(JANSSON_LIBS)

tests_fuzz_fuzz_value_SOURCES = tests/fuzz/fuzz_value.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_value_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_value_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_value_LDADD = libredis.a libnet.a libbase.a $(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS)

tests_fuzz_fuzz_url_SOURCES = tests/fuzz/fuzz_url.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_url_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_url_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_url_LDADD = $(net_link)

tests_fuzz_fuzz_websocket_SOURCES = tests/fuzz/fuzz_websocket.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_websocket_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_websocket_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_websocket_LDADD = $(net_link)

tests_fuzz_fuzz_worker_SOURCES = tests/fuzz/fuzz_worker.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_worker_CPPFLAGS = $(fuzz_cppflags) -I$(top_srcdir)/src/pool
tests_fuzz_fuzz_worker_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_worker_LDADD = libpool.a libring.a libipc.a libredis.a libnet.a libbase.a \
	$(HIREDIS_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(SECCOMP_LIBS)

tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_control_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_control_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_control_LDADD = libcontrol.a libbase.a $(JANSSON_LIBS)

redis_target_link = libworker.a libipc.a libredis.a libnet.a libatproto.a libbase.a \
	$(HIREDIS_LIBS) $(LIBCBOR_LIBS) $(OPENSSL_LIBS) $(LIBEVENT_LIBS)
endif
