check_PROGRAMS += tests/unit/ctl/test_spark
tests_unit_ctl_test_spark_SOURCES = tests/unit/ctl/test_spark.c cmd/firehosectl/spark.c
tests_unit_ctl_test_spark_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/cmd/firehosectl
tests_unit_ctl_test_spark_LDADD = $(CMOCKA_LIBS)
