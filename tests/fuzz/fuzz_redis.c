/* What a Redis, or what sits on its port, may answer: login, fencing and transactions of a worker's writer,
 * over a socket pair. The input: a byte of options, two of seed; then the bytes that the server sends, cut up
 * by the seed.
 *
 * Nothing that arrives harms the writer; a batch counts as committed only after an EXEC that said so (the
 * answers that bring this about are in the seeds); a writer that was not told to go on has no batch in
 * flight. An exit is one of the three that the master knows. */
#include "config.h"

#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz.h"
#include "writer.h"

/* Linked with --wrap for these three. */
extern void __real_exit(int status) __attribute__((noreturn));
extern void __wrap_exit(int status) __attribute__((noreturn));
extern int __real_redisReaderGetReply(redisReader *reader, void **reply);
extern int __wrap_redisReaderGetReply(redisReader *reader, void **reply);
extern void __real_freeReplyObject(void *reply);
extern void __wrap_freeReplyObject(void *reply);

static jmp_buf on_exit_;
static bool is_caught;

/* Replies in use: what the end of a process would free, where it is only a jump. */
static void *in_use[8];
static size_t in_use_count;

int __wrap_redisReaderGetReply(redisReader *reader, void **reply)
{
    int result = __real_redisReaderGetReply(reader, reply);
    if (result == REDIS_OK && *reply != NULL) {
        must(in_use_count < sizeof in_use / sizeof in_use[0], "replies within replies");
        in_use[in_use_count++] = *reply;
    }
    return result;
}

void __wrap_freeReplyObject(void *reply)
{
    must(in_use_count > 0 && in_use[in_use_count - 1] == reply);
    in_use_count--;
    __real_freeReplyObject(reply);
}

/* The writer leaves the process when its slot is another's. */
void __wrap_exit(int status)
{
    if (!is_caught)
        __real_exit(status);
    must(status >= IPC_EXIT_TAKEN_OVER && status <= IPC_EXIT_MARKS_LOST, "exit %d", status);
    longjmp(on_exit_, 1);
}

static struct worker_slot slot;
static union known_page known;
static struct batch batch;

/* A batch of one event, made once. */
static void make_batch(const struct config *config)
{
    batch_init(&batch);
    batch_begin(&batch);
    batch.commands = batch.frames = 1;
    batch.touched = 1;
    batch.marks.seq[0] = 7;
    batch_finish(&batch, config->progress_key, config->owner_key);
}

static void drain(int fd)
{
    char sink[65536];
    while (read(fd, sink, sizeof sink) > 0)
        continue;
}

static bool is_committed;

static void on_done(void *arg, struct batch *ended, bool committed)
{
    (void)arg;
    must(ended == &batch);
    is_committed = committed;
}

static void play(struct writer *w, int server, const uint8_t *data, size_t size, uint32_t seed)
{
    bool submitted = false;
    while (size > 0 && writer_fd(w, &(short){0}) >= 0) {
        size_t n = 1 + next_step(&seed) % 64;
        n = n < size ? n : size;
        must(write(server, data, n) == (ssize_t)n);
        data += n;
        size -= n;
        writer_on_ready(w);
        drain(server);
        if (!submitted && writer_is_idle(w)) {
            writer_submit(w, &batch);
            submitted = true;
        }
        must(!is_committed || submitted);
        must(w->state != WRITER_IN_FLIGHT || w->batch != NULL);
        if (w->state == WRITER_RETRY) /* the time has come */
            writer_on_time(w, w->deadline_ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    static struct writer writer;
    struct error why;
    int pair[2];
    uint32_t options = take_number(&data, &size, 1), seed = take_number(&data, &size, 2) | 1;
    if (config.redis == NULL) {
        must(settings_defaults(config_table, &config, config.origins));
        make_batch(&config);
        log_set_level(LOG_LEVEL_ERROR);
        must(log_open("/dev/null", &why));
    }
    memset(&known, 0, sizeof known);
    is_committed = false;
    known.seq[1] = options & 1 ? 5 : 0;
    const struct worker_setup setup = {.config = &config,
                                       .progress_key = config.progress_key,
                                       .slot = &slot,
                                       .known = &known,
                                       .own = 3,
                                       .owner = {.instance = 0xabcd, .generation = 2}};
    const struct channel none = {.data = -1, .control = -1, .log = -1};
    must(writer_init(&writer, &setup, &none, on_done, NULL, &why), "%s", why.text);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    is_caught = true;
    if (setjmp(on_exit_) == 0) {
        writer_connected(&writer, pair[0]);
        play(&writer, pair[1], data, size, seed);
    }
    is_caught = false;
    while (in_use_count > 0)
        __wrap_freeReplyObject(in_use[in_use_count - 1]);
    writer_fini(&writer);
    close(pair[1]);
    return 0;
}
