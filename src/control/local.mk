noinst_LIBRARIES += libcontrol.a
libcontrol_a_SOURCES = \
	include/control/control.h src/control/control.c \
	include/control/control_request.h src/control/control_request.c
