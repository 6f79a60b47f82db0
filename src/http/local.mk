noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
	include/http/http.h src/http/http.c \
	src/http/http_clients.c src/http/http_clients.h \
	include/http/page.h src/http/page.c

# The status page, as the initializer of an array: bytes in hex, by what every POSIX system has.
EXTRA_DIST += src/http/page.html
CLEANFILES += src/http/page.inc
src/http/page.inc: src/http/page.html
	$(AM_V_GEN)$(MKDIR_P) src/http && \
	od -An -v -tx1 $(srcdir)/src/http/page.html | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g' >$@-t && mv $@-t $@
src/http/page.$(OBJEXT): src/http/page.inc
