// build: -pthread
// Waiting in every way, for those who stop a guest: for ever, or for a time that is the same however often it is stopped.

#include "check.h"
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>

volatile uint64_t counter;
static uint32_t word;
static int pipe_ends[2];

enum { NAP = 150 };
static const struct timespec nap = {0, NAP * 1000000};

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// How long each call waits, which should be NAP milliseconds.
static void naps(void) {
    struct timespec time = nap;
    struct timeval interval = {0, NAP * 1000};
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int poller = epoll_create1(0);
    struct epoll_event event;
    long start = now();
#define NAPS(call) RESULT(call), printf("long enough: %d\n", now() - start >= NAP - 1), start = now()
    NAPS(nanosleep(&nap, NULL));
    NAPS(clock_nanosleep(CLOCK_REALTIME, 0, &nap, NULL));
    NAPS(poll(NULL, 0, NAP));
    NAPS(select(0, NULL, NULL, NULL, &interval));
    NAPS(epoll_wait(poller, &event, 1, NAP));
    NAPS(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &nap, NULL, 0));
    NAPS(sigtimedwait(&set, NULL, &time));
}

static void reads(void) {
    char byte;
    pipe(pipe_ends);
    read(pipe_ends[0], &byte, 1);
}

static void pauses(void) { pause(); }
static void sleeps(void) { for (;;) sleep(1000); }
static void waits(void) { syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0); }
static void counts(void) { for (;;) counter++; }

static void *run(void *what) {
    ((void (*)(void))what)();
    return NULL;
}

static void start(void (*what)(void)) {
    pthread_t thread;
    pthread_create(&thread, NULL, run, what);
}

static void threads(void) {
    start(counts), start(reads), start(waits), start(sleeps);
    pause();
}

static void joins(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, run, counts);
    pthread_join(thread, NULL);
}

static void leaves(void) {
    start(counts), start(sleeps);
    pthread_exit(NULL);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(naps), CASE(reads), CASE(pauses), CASE(sleeps), CASE(waits), CASE(counts), CASE(threads), CASE(joins), CASE(leaves), {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
