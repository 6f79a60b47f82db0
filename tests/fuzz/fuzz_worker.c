/* What a worker may do to the master: messages of any type with any fields, datagrams that are none, and stores into
 * the pages that it shares. The input is a list of steps: a byte that says which, and its bytes.
 *
 * Only frames that this worker has count as done, and the other worker's stay as they are. What the master reads of
 * the shared pages is its own copy, with texts that end and names that exist. */
#include "config.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "dispatch.h"
#include "fuzz.h"
#include "pool/pool.h"
#include "worker_exit.h"

enum { HOSTILE, OTHER, WORKERS, FRAME_BYTES = 64, RING_BYTES = 1 << 20, PAGE_BYTES = 1024 };

static struct pool *pool;
static struct ledger *ledger;
static struct counters *counters;
static struct known_marks *known;
static struct channel worker_end;
static size_t committed;
static struct config config = {.batch_events = 100, .redis = "", .worker_timeout = 1000};
static struct owner_token owner;

static void on_committed(void *arg, size_t frames)
{
    (void)arg;
    committed += frames;
}

static void on_retried(void *arg, uint64_t number, bool ok, const char *why)
{
    (void)arg;
    (void)ok;
    must(number == 7 && strlen(why) < IPC_TEXT_BYTES);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct pool_hooks hooks = {.committed = on_committed, .retried = on_retried};
    struct error why;
    (void)argc;
    (void)argv;
    log_set_level(LOG_LEVEL_ERROR);
    counters = counters_new();
    known = known_marks_new();
    known_marks_route(known, WORKERS);
    ledger = ledger_new(RING_BYTES, WORKERS, &why);
    pool = pool_new(event_base_new(), NULL, ledger, counters, known, &config, &owner, NULL, &hooks);
    must(counters != NULL && known != NULL && ledger != NULL && pool != NULL);
    pool->size = WORKERS;
    return 0;
}

static struct worker_process *hostile(void) { return &pool->workers[HOSTILE]; }

/* Gives each worker n frames, and sends half of them. */
static void take_frames(unsigned n)
{
    size_t filled, room;
    for (unsigned i = 0; i < WORKERS * n; i++) {
        memset(ledger_window(ledger, &filled, &room), 0, FRAME_BYTES);
        ledger_filled(ledger, FRAME_BYTES);
        uint64_t id = ledger_take(ledger, 0, FRAME_BYTES, FRAME_BYTES, i + 1, (uint16_t)(i % WORKERS), 0, i % WORKERS);
        if (i < WORKERS * n / 2)
            ledger_sent(ledger, i % WORKERS, id);
    }
}

static void send_datagram(const uint8_t *bytes, size_t len)
{
    must(send(worker_end.control, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
}

/* Returns whether the channel is still good. */
static bool receive(void)
{
    enum ipc_result result = dispatch_take_messages(hostile(), 64);
    struct ipc_message sink;
    int fd;
    while (channel_receive(&worker_end, &sink, &fd) == IPC_OK)
        must(fd < 0);
    return result == IPC_AGAIN;
}

/* What the master does with a worker's report, once a second and at its end. */
static void read_reports(void)
{
    const struct worker_slot *slot = &counters->workers[HOSTILE].slot;
    char end[96];
    must(strlen(worker_state_name(atomic_load(&slot->state))) > 0);
    exit_describe(SIGSYS, atomic_load(&slot->denied_call), end, sizeof end);
    const struct marks marks = known_marks_read(known);
    for (unsigned p = OTHER; p < PARTITIONS; p += WORKERS)
        must(marks.seq[p] == 0, "another worker's mark");
    must(counters->workers[OTHER].slot.counters[COUNTER_WRITTEN] == 0, "another worker's figures");
}

static void store(uint32_t at, const uint8_t *bytes, size_t len)
{
    char *page = at % 2 == 0 ? counters->workers[HOSTILE].bytes : known->pages[HOSTILE].bytes;
    at = at / 2 % PAGE_BYTES;
    memcpy(page + at, bytes, len < PAGE_BYTES - at ? len : PAGE_BYTES - at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error why;
    bool is_good = true;
    must(channel_pair(&hostile()->channel, &worker_end, &why));
    memset(counters->workers[HOSTILE].bytes, 0, PAGE_BYTES);
    memset(known->pages[HOSTILE].bytes, 0, PAGE_BYTES);
    committed = 0;
    unsigned frames = take_number(&data, &size, 1) % 100;
    take_frames(frames);
    const size_t sent = ledger_outstanding_count(ledger, HOSTILE), others = ledger_outstanding_count(ledger, OTHER);
    struct ledger_record first = {0};
    ledger_outstanding(ledger, HOSTILE, &first);
    while (size > 0 && is_good) {
        uint32_t step = take_number(&data, &size, 1), at = take_number(&data, &size, 2);
        uint8_t bytes[2 * sizeof(struct ipc_message)] = {0};
        struct ipc_message *m = (void *)bytes;
        size_t n = step % 4 == 0 ? step : sizeof *m, have = n < size ? n : size;
        hostile()->retry = step & 4 ? 7 : 0;
        memcpy(bytes, data, have);
        data += have;
        size -= have;
        if (step % 4 == 1) {
            store(at, bytes, have);
        } else {
            if (step % 4 == 2) { /* a good type, and an id near those of the frames */
                m->type = IPC_RETRIED + at % (IPC_PONG - IPC_RETRIED + 1);
                m->id = at & 0x8000 ? 7 : first.id + m->id % 128;
            }
            send_datagram(bytes, n);
            is_good = receive();
        }
        read_reports();
    }
    must(committed <= sent && ledger_outstanding_count(ledger, HOSTILE) == sent - committed);
    must(ledger_outstanding_count(ledger, OTHER) == others && ledger_queue_length(ledger, OTHER) == frames);
    ledger_reset(ledger);
    channel_close(&hostile()->channel);
    channel_close(&worker_end);
    return 0;
}
