noinst_LIBRARIES += libipc.a
libipc_a_SOURCES = \
	include/ipc/channel.h src/ipc/channel.c \
	include/ipc/counters.h src/ipc/counters.c \
	include/ipc/tap.h
