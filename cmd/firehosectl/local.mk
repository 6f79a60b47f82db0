bin_PROGRAMS += firehosectl
firehosectl_SOURCES = cmd/firehosectl/main.c
firehosectl_LDADD = libbase.a $(JANSSON_LIBS)
