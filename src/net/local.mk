noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	include/net/connect.h src/net/connect.c \
	include/net/resolver.h src/net/resolver.c \
	include/net/stream.h src/net/stream.c \
	include/net/tls.h src/net/tls.c src/net/tls_bio.c src/net/tls_internal.h \
	include/net/url.h src/net/url.c \
	include/net/websocket.h src/net/websocket.c src/net/ws_write.c src/net/ws_mask.h \
	include/net/ws_accept.h src/net/ws_accept.c \
	include/net/ws_handshake.h src/net/ws_handshake.c \
	include/net/ws_key.h src/net/ws_key.c \
	src/net/http_head.c src/net/http_head.h

net_link = libnet.a libbase.a $(OPENSSL_LIBS) $(LIBEVENT_LIBS)
