noinst_LIBRARIES += libipc.a
libipc_a_SOURCES =
