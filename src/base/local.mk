noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	include/base/buffer.h src/base/buffer.c \
	include/base/clock.h src/base/clock.c \
	include/base/config.h src/base/config.c \
	include/base/counter.h src/base/counter.c \
	include/base/error.h src/base/error.c \
	include/base/hash.h \
	include/base/human.h src/base/human.c \
	include/base/json_text.h src/base/json_text.c \
	include/base/limits.h include/base/optional.h include/base/verdict.h \
	include/base/log.h src/base/log.c \
	include/base/log_fold.h src/base/log_fold.c \
	include/base/log_level.h \
	include/base/log_format.h src/base/log_format.c \
	include/base/log_recent.h src/base/log_recent.c \
	include/base/rfc3339.h src/base/rfc3339.c \
	include/base/notify.h src/base/notify.c \
	include/base/privileges.h src/base/privileges.c \
	include/base/setting.h include/base/settings.h src/base/settings.c \
	include/base/settings_print.h src/base/settings_print.c \
	include/base/sha256.h src/base/sha256.c \
	include/base/siphash.h src/base/siphash.c \
	include/base/text.h src/base/text.c \
	include/base/text_set.h src/base/text_set.c \
	include/base/worker_pages.h src/base/worker_pages.c \
	include/base/syscall_name.h src/base/syscall_name.c
