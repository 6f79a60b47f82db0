noinst_LIBRARIES += libatproto.a
libatproto_a_SOURCES = \
	include/atproto/car.h src/atproto/car.c \
	include/atproto/cbor.h src/atproto/cbor.c \
	include/atproto/cbor_reader.h src/atproto/cbor_reader.c \
	src/atproto/cbor_token.h src/atproto/cbor_token.c \
	include/atproto/cid.h src/atproto/cid.c \
	include/atproto/collections.h src/atproto/collections.c \
	include/atproto/event_json.h src/atproto/event_json.c \
	include/atproto/frame.h src/atproto/frame.c \
	include/atproto/frame_header.h src/atproto/frame_header.c \
	include/atproto/frame_peek.h src/atproto/frame_peek.c \
	include/atproto/record_json.h src/atproto/record_json.c

# A program that decodes frames links with these, in this order.
atproto_link = libatproto.a libbase.a $(OPENSSL_LIBS)
