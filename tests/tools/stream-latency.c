/* stream-latency: how long after its sending an event is visible in the stream. For scripts/bench.
 *
 *   stream-latency SOCKET KEY STAMPS SECONDS     of events that firehose-replay --stamp-file has sent
 *   stream-latency SOCKET KEY --floor RATE SECONDS BYTES
 *
 * The first waits in XREAD as a consumer does, and takes the time when an entry has arrived; what it cost is what the
 * entry's seq says was its time of sending. The second tells how much of that is Redis and this reader: another
 * process puts entries of BYTES into the stream by plain XADD, RATE a second in the same bursts as the relay, with the
 * time of sending in them. One line of JSON: microseconds. */
#include "config.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP_MS = 500, MAX_SAMPLES = 1 << 24, BURST_MS = 2 };

struct samples {
    uint32_t *us10; /* tenths of a microsecond */
    size_t count;
    size_t unknown; /* entries whose sending was not noted */
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "stream-latency: %s%s%s\n", what, why != NULL ? ": " : "", why != NULL ? why : "");
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static redisContext *connect_to(const char *path)
{
    redisContext *c = redisConnectUnix(path);
    if (c == NULL || c->err != 0)
        die(path, c != NULL ? c->errstr : "out of memory");
    return c;
}

/* ---- samples ---- */

static void add(struct samples *s, int64_t sent_ns, int64_t arrived_ns)
{
    if (sent_ns == 0 || arrived_ns < sent_ns)
        s->unknown++;
    else if (s->count < MAX_SAMPLES)
        s->us10[s->count++] = (uint32_t)((arrived_ns - sent_ns) / 100);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double quantile(const struct samples *s, double q)
{
    size_t i = (size_t)(q * (double)s->count);
    return s->us10[i < s->count ? i : s->count - 1] / 10.0;
}

static void report(struct samples *s)
{
    if (s->count == 0)
        die("no event has arrived", NULL);
    qsort(s->us10, s->count, sizeof *s->us10, compare);
    printf("{\"count\":%zu,\"unknown\":%zu,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}\n", s->count,
           s->unknown, quantile(s, 0.5), quantile(s, 0.99), quantile(s, 0.999), s->us10[s->count - 1] / 10.0);
}

/* ---- when an entry was sent ---- */

struct stamps {
    const int64_t *at; /* NULL: the entry says it itself */
    size_t count;
};

static struct stamps map_stamps(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
        die(path, "cannot be read");
    void *at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        die(path, "cannot be mapped");
    return (struct stamps){at, (size_t)info.st_size / sizeof(int64_t) - 1};
}

/* Values stand at 1, 3, 5 of an entry's fields: the last one is the seq, or the floor's time. */
static int64_t sent_at(const struct stamps *s, const redisReply *fields)
{
    const redisReply *last = fields->elements > 0 ? fields->element[fields->elements - 1] : NULL;
    if (last == NULL || last->type != REDIS_REPLY_STRING)
        return 0;
    int64_t number = strtoll(last->str, NULL, 10);
    if (s->at == NULL)
        return number;
    int64_t index = number - s->at[0];
    return index >= 0 && (size_t)index < s->count ? s->at[1 + index] : 0;
}

/* ---- reading ---- */

static void read_for(const char *socket, const char *key, const struct stamps *stamps, double seconds,
                     struct samples *s)
{
    redisContext *c = connect_to(socket);
    char last[64] = "$";
    int64_t begin = now_ns() + WARM_UP_MS * INT64_C(1000000), end = begin + (int64_t)(seconds * 1e9);
    for (int64_t arrived = 0; arrived < end;) {
        redisReply *reply = redisCommand(c, "XREAD COUNT 1000 BLOCK 500 STREAMS %s %s", key, last);
        arrived = now_ns();
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
            die("XREAD", reply != NULL ? reply->str : c->errstr);
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1) {
            const redisReply *entries = reply->element[0]->element[1];
            for (size_t i = 0; i < entries->elements; i++)
                if (arrived >= begin)
                    add(s, sent_at(stamps, entries->element[i]->element[1]), arrived);
            snprintf(last, sizeof last, "%s", entries->element[entries->elements - 1]->element[0]->str);
        }
        freeReplyObject(reply);
    }
    redisFree(c);
}

/* ---- the floor's writer ---- */

static void write_for_ever(const char *socket, const char *key, double rate, size_t bytes)
{
    redisContext *c = connect_to(socket);
    char *data = malloc(bytes);
    if (data == NULL)
        die("out of memory", NULL);
    memset(data, 'x', bytes);
    int64_t begin = now_ns();
    for (uint64_t written = 0;;) {
        struct timespec burst = {.tv_nsec = BURST_MS * 1000000};
        uint64_t due = (uint64_t)((double)(now_ns() - begin) / 1e9 * rate), batch = 0;
        for (; written + batch < due; batch++)
            redisAppendCommand(c, "XADD %s MAXLEN ~ 10000 * type commit data %b sent %lld", key, data, bytes,
                               (long long)now_ns());
        for (written += batch; batch > 0; batch--) {
            redisReply *reply = NULL;
            if (redisGetReply(c, (void **)&reply) != REDIS_OK)
                exit(1);
            freeReplyObject(reply);
        }
        nanosleep(&burst, NULL);
    }
}

static pid_t start_writer(const char *socket, const char *key, double rate, size_t bytes)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork", NULL);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        write_for_ever(socket, key, rate, bytes);
    }
    return pid;
}

int main(int argc, char **argv)
{
    bool is_floor = argc == 7 && strcmp(argv[3], "--floor") == 0;
    if (argc != 5 && !is_floor)
        die("usage: stream-latency SOCKET KEY (STAMPS SECONDS | --floor RATE SECONDS BYTES)", NULL);
    struct samples samples = {.us10 = malloc(MAX_SAMPLES * sizeof *samples.us10)};
    struct stamps stamps = {0};
    if (samples.us10 == NULL)
        die("out of memory", NULL);
    if (is_floor) {
        pid_t writer = start_writer(argv[1], argv[2], strtod(argv[4], NULL), strtoul(argv[6], NULL, 10));
        read_for(argv[1], argv[2], &stamps, strtod(argv[5], NULL), &samples);
        kill(writer, SIGKILL);
    } else {
        stamps = map_stamps(argv[3]);
        read_for(argv[1], argv[2], &stamps, strtod(argv[4], NULL), &samples);
    }
    report(&samples);
    free(samples.us10);
    return 0;
}
