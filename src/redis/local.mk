noinst_LIBRARIES += libredis.a
libredis_a_SOURCES =
