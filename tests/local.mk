# Unit tests (cmocka), one program a subject, beside the tree they test: tests/unit/<room>/test_<subject>.c.
# A room's tests are listed in tests/unit/<room>/local.mk, inside HAVE_CMOCKA.
if HAVE_CMOCKA
include tests/unit/base/local.mk
include tests/unit/atproto/local.mk
include tests/unit/net/local.mk
include tests/unit/redis/local.mk
include tests/unit/ipc/local.mk
include tests/unit/ring/local.mk
include tests/unit/relay/local.mk
include tests/unit/pool/local.mk
include tests/unit/control/local.mk
include tests/unit/stats/local.mk
include tests/unit/store/local.mk
include tests/unit/master/local.mk
include tests/unit/worker/local.mk
include tests/unit/replay/local.mk
include tests/unit/ctl/local.mk
endif
include tests/reference/local.mk
include tests/tools/local.mk
include tests/fuzz/local.mk
TESTS += $(check_PROGRAMS)
