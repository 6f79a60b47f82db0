# What the decoder is held against: by the fuzz targets, the differential test, decode-frames, and the reader's unit test.
noinst_LIBRARIES += libreference.a
libreference_a_SOURCES = \
	tests/reference/blocks.c tests/reference/blocks.h \
	tests/reference/head.c tests/reference/head.h \
	tests/reference/item.c tests/reference/item.h \
	tests/reference/reference.c tests/reference/reference.h \
	tests/reference/text.c tests/reference/text.h \
	tests/reference/tree.c tests/reference/tree.h
reference_link = libreference.a $(atproto_link) $(JANSSON_LIBS) $(LIBCBOR_LIBS) $(OPENSSL_LIBS)
