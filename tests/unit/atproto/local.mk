check_PROGRAMS += \
	tests/unit/atproto/test_cbor \
	tests/unit/atproto/test_cid \
	tests/unit/atproto/test_car \
	tests/unit/atproto/test_frame \
	tests/unit/atproto/test_event_json
tests_unit_atproto_test_cbor_SOURCES = tests/unit/atproto/test_cbor.c tests/unit/atproto/wire.h
tests_unit_atproto_test_cbor_LDADD = $(atproto_link) $(CMOCKA_LIBS)
tests_unit_atproto_test_cid_SOURCES = tests/unit/atproto/test_cid.c tests/unit/atproto/wire.h
tests_unit_atproto_test_cid_LDADD = $(atproto_link) $(CMOCKA_LIBS)
tests_unit_atproto_test_car_SOURCES = tests/unit/atproto/test_car.c tests/unit/atproto/wire.h
tests_unit_atproto_test_car_LDADD = $(atproto_link) $(CMOCKA_LIBS)
tests_unit_atproto_test_frame_SOURCES = tests/unit/atproto/test_frame.c tests/unit/atproto/wire.h
tests_unit_atproto_test_frame_LDADD = $(atproto_link) $(CMOCKA_LIBS)
tests_unit_atproto_test_event_json_SOURCES = tests/unit/atproto/test_event_json.c tests/unit/atproto/wire.h
tests_unit_atproto_test_event_json_LDADD = $(atproto_link) $(CMOCKA_LIBS)
# To let an allocation fail.
tests_unit_atproto_test_event_json_LDFLAGS = -Wl,--wrap=reallocarray
check_PROGRAMS += tests/unit/atproto/test_collections
tests_unit_atproto_test_collections_SOURCES = tests/unit/atproto/test_collections.c
tests_unit_atproto_test_collections_LDADD = $(atproto_link) $(CMOCKA_LIBS)

# The reader held against libcbor, which no other unit test links with.
check_PROGRAMS += tests/unit/atproto/test_cbor_reference
tests_unit_atproto_test_cbor_reference_SOURCES = tests/unit/atproto/test_cbor_reference.c \
	tests/unit/atproto/cbor_reference.c tests/unit/atproto/cbor_reference.h tests/unit/atproto/wire.h
tests_unit_atproto_test_cbor_reference_LDADD = libreference.a $(atproto_link) $(LIBCBOR_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/atproto/test_rules
tests_unit_atproto_test_rules_SOURCES = tests/unit/atproto/test_rules.c tests/unit/atproto/wire.h
tests_unit_atproto_test_rules_LDADD = $(atproto_link) $(CMOCKA_LIBS)
