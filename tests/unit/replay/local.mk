replay_test_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/cmd/firehose-replay
replay_test_link = $(replay_link) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/replay/test_capture
tests_unit_replay_test_capture_SOURCES = tests/unit/replay/test_capture.c
tests_unit_replay_test_capture_CPPFLAGS = $(replay_test_cppflags)
tests_unit_replay_test_capture_LDADD = $(replay_test_link)

check_PROGRAMS += tests/unit/replay/test_cbor_write
tests_unit_replay_test_cbor_write_SOURCES = tests/unit/replay/test_cbor_write.c
tests_unit_replay_test_cbor_write_CPPFLAGS = $(replay_test_cppflags)
tests_unit_replay_test_cbor_write_LDADD = $(replay_test_link)

check_PROGRAMS += tests/unit/replay/test_generate
tests_unit_replay_test_generate_SOURCES = tests/unit/replay/test_generate.c
tests_unit_replay_test_generate_CPPFLAGS = $(replay_test_cppflags)
tests_unit_replay_test_generate_LDADD = $(replay_test_link)

check_PROGRAMS += tests/unit/replay/test_sequence
tests_unit_replay_test_sequence_SOURCES = tests/unit/replay/test_sequence.c
tests_unit_replay_test_sequence_CPPFLAGS = $(replay_test_cppflags)
tests_unit_replay_test_sequence_LDADD = $(replay_test_link)

check_PROGRAMS += tests/unit/replay/test_stamps
tests_unit_replay_test_stamps_SOURCES = tests/unit/replay/test_stamps.c
tests_unit_replay_test_stamps_CPPFLAGS = $(replay_test_cppflags)
tests_unit_replay_test_stamps_LDADD = $(replay_test_link)

check_PROGRAMS += tests/unit/replay/test_differential
tests_unit_replay_test_differential_SOURCES = tests/unit/replay/test_differential.c
tests_unit_replay_test_differential_CPPFLAGS = $(replay_test_cppflags) -I$(top_srcdir)/tests/reference
tests_unit_replay_test_differential_LDADD = libreference.a $(replay_test_link) $(LIBCBOR_LIBS)
