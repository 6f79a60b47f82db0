bin_PROGRAMS += firehosectl
firehosectl_SOURCES = cmd/firehosectl/main.c cmd/firehosectl/show.c cmd/firehosectl/show.h
firehosectl_LDADD = libbase.a $(JANSSON_LIBS)
