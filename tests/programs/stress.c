// build: -pthread
// Threads, signals and processes all at once, for as many seconds as the argument says: locks and atomic sums
// under timer signals, forks of a process with threads, pipes, short threads, cancelled threads, faults that
// are mended. Prints only what went wrong, and that it has ended.

#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64 };

static _Atomic long wrong, signals, work_done[8];
static _Atomic long shared_sum, thread_sum;
static long guarded[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t all[8];
static double end;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void expect(int holds, const char *what) {
    if (!holds && wrong++ < 20) fprintf(stderr, "wrong: %s (%s)\n", what, strerrorname_np(errno));
}

#define EXPECT(condition) expect(condition, #condition)

static void on_signal(int number) {
    (void)number;
    signals++;
}

__attribute__((noinline)) static uint64_t compute(uint64_t seed, int rounds) {
    double x = 1.0;
    for (int i = 0; i < rounds; i++) seed = mix(seed, (uint64_t)i), x = x * 1.0001 + 0.5;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return seed ^ bits;
}

static void *keep_computing(void *arg) {
    uint64_t expected = compute(3, 2000);
    while (now() < end) EXPECT(compute(3, 2000) == expected), work_done[0]++;
    return arg;
}

static void *keep_locking(void *arg) {
    while (now() < end) {
        pthread_mutex_lock(&lock);
        guarded[0]++;
        if (guarded[0] % 100 == 0) sched_yield();
        guarded[1]++;
        EXPECT(guarded[0] == guarded[1]);
        if (guarded[0] % 10 == 0) pthread_cond_broadcast(&changed);
        else if (guarded[0] % 77 == 0) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += 1000000, until.tv_sec += until.tv_nsec / 1000000000, until.tv_nsec %= 1000000000;
            int error = pthread_cond_timedwait(&changed, &lock, &until);
            EXPECT(error == 0 || error == ETIMEDOUT);
        }
        pthread_mutex_unlock(&lock);
        shared_sum += 3;
        work_done[1]++;
    }
    return arg;
}

static void *add(void *arg) {
    thread_sum += (long)arg;
    return (char *)arg + 1;
}

// Handlers must not run here: a thread that is cancelled while one runs inside a call that can be cancelled is unwound
// from wherever the handler was, which no library is prepared for.
static void *sleep_on(void *arg) {
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGUSR1), sigaddset(&handled, SIGUSR2), sigaddset(&handled, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &handled, NULL);
    for (;;) pause();
}

static void *keep_starting_threads(void *arg) {
    for (long i = 0; now() < end; i++) {
        pthread_t threads[3];
        void *result;
        for (int j = 0; j < 2; j++) EXPECT(pthread_create(&threads[j], NULL, add, (void *)i) == 0);
        EXPECT(pthread_create(&threads[2], NULL, sleep_on, NULL) == 0);
        EXPECT(pthread_cancel(threads[2]) == 0);
        for (int j = 0; j < 2; j++) EXPECT(pthread_join(threads[j], &result) == 0 && (long)result == i + 1);
        EXPECT(pthread_join(threads[2], &result) == 0 && result == PTHREAD_CANCELED);
        work_done[2]++;
    }
    return arg;
}

// Children compute, start threads of their own, end by signals; grandchildren, too.
static void *keep_forking(void *arg) {
    for (int i = 0; now() < end; i++) {
        int ends[2], status = -1;
        EXPECT(pipe(ends) == 0);
        uint64_t expected = compute((uint64_t)i, 500), got = 0;
        pid_t child = i % 4 == 3 ? vfork() : fork();
        if (child == 0) {
            if (i % 4 == 3) _exit(i % 100);
            uint64_t own = compute((uint64_t)i, 500);
            if (write(ends[1], &own, sizeof own) != sizeof own) _exit(101);
            if (i % 4 == 1) {
                pthread_t thread;
                void *result;
                if (pthread_create(&thread, NULL, add, (void *)4) || pthread_join(thread, &result) || result != (void *)5) _exit(102);
            }
            if (i % 4 == 2) signal(SIGTERM, SIG_DFL), raise(SIGTERM);
            _exit(i % 100);
        }
        EXPECT(child > 0);
        close(ends[1]);
        long n;
        while ((n = read(ends[0], &got, sizeof got)) < 0 && errno == EINTR) {}
        EXPECT(i % 4 == 3 ? n == 0 : n == sizeof got && got == expected);
        close(ends[0]);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        EXPECT(i % 4 == 2 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM : status == i % 100 << 8);
        work_done[3]++;
    }
    return arg;
}

static int circle[2][2];

static void *keep_passing(void *arg) {
    long number = (long)arg, value;
    for (;;) {
        if (number == 0 && now() >= end) value = -1;
        else if (number == 0) value = work_done[4];
        if (number == 0) EXPECT(write(circle[0][1], &value, sizeof value) == sizeof value);
        long sent = value, n;
        while ((n = read(circle[number ? 0 : 1][0], &value, sizeof value)) < 0 && errno == EINTR) {}
        EXPECT(n == sizeof value && (number || value == sent));
        if (number) EXPECT(write(circle[1][1], &value, sizeof value) == sizeof value);
        if (value == -1) return arg;
        if (!number) work_done[4]++;
    }
}

static char *pages;
static __thread sigjmp_buf back;
static __thread volatile int expecting;

static void mend(int number, siginfo_t *info, void *context) {
    (void)context;
    char *page = (char *)((uint64_t)info->si_addr & ~(uint64_t)(PAGE - 1));
    if (page >= pages && page < pages + PAGES * PAGE) {
        mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    } else if (expecting) {
        siglongjmp(back, number);
    } else {
        static const char text[] = "wrong: unexpected fault\n";
        write(2, text, sizeof text - 1);
        _exit(9);
    }
}

static void *keep_faulting(void *arg) {
    for (long i = 1; now() < end; i++) {
        for (int j = 0; j < PAGES; j++) *(volatile long *)(pages + j * PAGE) += i;
        for (int j = 0; j < PAGES; j++) EXPECT(*(volatile long *)(pages + j * PAGE) == i * (i + 1) / 2);
        EXPECT(mprotect(pages, PAGES * PAGE, PROT_READ) == 0);
        expecting = 1;
        if (sigsetjmp(back, 1) == 0) {
            *(volatile long *)opaque(64) = 1;
            EXPECT(!"no fault");
        }
        expecting = 0;
        work_done[5]++;
    }
    return arg;
}

static void *keep_signalling(void *arg) {
    while (now() < end) {
        for (int i = 0; i < 7; i++) EXPECT(pthread_kill(all[i], SIGUSR1) == 0);
        EXPECT(kill(getpid(), SIGUSR2) == 0);
        nanosleep(&(struct timespec){0, 300000}, NULL);
        work_done[6]++;
    }
    return arg;
}

int main(int argc, char **argv) {
    struct sigaction action = {0};
    action.sa_handler = on_signal, action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL), sigaction(SIGUSR2, &action, NULL), sigaction(SIGALRM, &action, NULL);
    action.sa_sigaction = mend, action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
    pages = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(pipe(circle[0]) == 0 && pipe(circle[1]) == 0);
    end = now() + (argc > 1 ? atof(argv[1]) : 1);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 500}, {0, 500}}, NULL);
    static void *(*const runs[])(void *) = {keep_computing, keep_locking,  keep_locking,  keep_starting_threads,
                                            keep_forking,   keep_passing, keep_passing, keep_faulting};
    pthread_t signalling;
    for (long i = 0; i < 8; i++) pthread_create(&all[i], NULL, runs[i], (void *)(i == 6 ? 1l : 0l));
    pthread_create(&signalling, NULL, keep_signalling, NULL);
    pthread_join(signalling, NULL);
    for (int i = 0; i < 8; i++) pthread_join(all[i], NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    for (int i = 0; i < 7; i++) EXPECT(work_done[i] > 0);
    EXPECT(guarded[0] == work_done[1] && shared_sum == 3 * work_done[1] && signals > 0);
    if (argc > 2)
        for (int i = 0; i < 7; i++) printf("%ld ", work_done[i]);
    printf("wrong %ld\n", wrong);
    return 0;
}
