noinst_LIBRARIES += libredis.a
libredis_a_SOURCES = \
	include/redis/address.h src/redis/address.c \
	include/redis/client.h src/redis/client.c \
	include/redis/info.h src/redis/info.c \
	include/redis/progress.h src/redis/progress.c \
	include/redis/replies.h src/redis/replies.c
