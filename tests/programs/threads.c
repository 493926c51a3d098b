// build: -pthread
// Threads, by the library and by futex: every result is the same in whatever order the threads run.

#include "check.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 2000 };

static void pause_for(long microseconds) {
    nanosleep(&(struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000}, NULL);
}

static struct timespec from_now(clockid_t clock, long milliseconds) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += milliseconds * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static long milliseconds_since(struct timespec start) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (t.tv_sec - start.tv_sec) * 1000 + (t.tv_nsec - start.tv_nsec) / 1000000;
}

// Runs `count` threads with their numbers as arguments and adds up what they return.
static long run_threads(int count, void *(*function)(void *)) {
    pthread_t threads[64];
    long sum = 0;
    for (long i = 0; i < count; i++) pthread_create(&threads[i], NULL, function, (void *)i);
    for (int i = 0; i < count; i++) {
        void *result;
        if (pthread_join(threads[i], &result)) puts("join failed");
        sum += (long)result;
    }
    return sum;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *count_locked(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        counter = counter + 1;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *try_lock(void *arg) {
    return (void *)(long)pthread_mutex_trylock(&lock);
}

static void mutex(void) {
    printf("returned %ld\n", run_threads(THREADS, count_locked));
    printf("counted %ld\n", counter);
    pthread_mutex_lock(&lock);
    printf("trylock by another: %s\n", strerrorname_np((int)run_threads(1, try_lock)));
    pthread_mutex_unlock(&lock);
    pthread_mutexattr_t attributes;
    pthread_mutex_t other;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&other, &attributes);
    RESULT(pthread_mutex_lock(&other) + pthread_mutex_lock(&other) + pthread_mutex_trylock(&other));
    RESULT(pthread_mutex_unlock(&other) + pthread_mutex_unlock(&other) + pthread_mutex_unlock(&other));
    printf("one unlock too many: %s\n", strerrorname_np(pthread_mutex_unlock(&other)));
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&other, &attributes);
    RESULT(pthread_mutex_lock(&other));
    printf("locked twice: %s\n", strerrorname_np(pthread_mutex_lock(&other)));
    pthread_spinlock_t spin;
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    RESULT(pthread_spin_lock(&spin));
    printf("spinlock held: %s\n", strerrorname_np(pthread_spin_trylock(&spin)));
    RESULT(pthread_spin_unlock(&spin));
}

// A mutex that lends its holder the priority of those who wait: made by the kernel's own lock operations.
static void inherit(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    RESULT(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    RESULT(pthread_mutex_init(&lock, &attributes));
    run_threads(THREADS, count_locked);
    printf("counted %ld\n", counter);
    pthread_mutex_lock(&lock);
    printf("trylock by another: %s\n", strerrorname_np((int)run_threads(1, try_lock)));
    RESULT(pthread_mutex_unlock(&lock));
}

static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static long queue[4], head, tail;

static void *produce_or_consume(void *arg) {
    long number = (long)arg, sum = 0;
    for (int i = 0; i < ROUNDS / 4; i++) {
        pthread_mutex_lock(&lock);
        if (number % 2) {
            while (tail - head == 4) pthread_cond_wait(&not_full, &lock);
            queue[tail++ % 4] = number * ROUNDS + i;
            pthread_cond_signal(&not_empty);
        } else {
            while (tail == head) pthread_cond_wait(&not_empty, &lock);
            sum += queue[head++ % 4];
            pthread_cond_signal(&not_full);
        }
        pthread_mutex_unlock(&lock);
    }
    return (void *)sum;
}

static int turn;

static void *take_turns(void *arg) {
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        while (turn % THREADS != (long)arg) pthread_cond_wait(&not_empty, &lock);
        counter = counter * 31 % 1000003 + (long)arg;
        turn++;
        pthread_cond_broadcast(&not_empty);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void condition(void) {
    printf("consumed %ld\n", run_threads(THREADS, produce_or_consume));
    printf("left %ld\n", tail - head);
    run_threads(THREADS, take_turns);
    printf("turns %d sequence %ld\n", turn, counter);
    struct timespec start = from_now(CLOCK_MONOTONIC, 0), until = from_now(CLOCK_REALTIME, 20);
    pthread_mutex_lock(&lock);
    printf("nobody signals: %s\n", strerrorname_np(pthread_cond_timedwait(&not_full, &lock, &until)));
    CHECK(milliseconds_since(start) >= 19);
    until = from_now(CLOCK_MONOTONIC, 20);
    printf("by the other clock: %s\n", strerrorname_np(pthread_cond_clockwait(&not_full, &lock, CLOCK_MONOTONIC, &until)));
    CHECK(milliseconds_since(start) >= 39);
    pthread_mutex_unlock(&lock);
}

static pthread_barrier_t gate;
static long cells[THREADS];

static void *meet(void *arg) {
    long number = (long)arg, serial = 0, wrong = 0;
    for (int i = 0; i < 100; i++) {
        cells[number] = i;
        serial += pthread_barrier_wait(&gate) == PTHREAD_BARRIER_SERIAL_THREAD;
        for (int j = 0; j < THREADS; j++) wrong += cells[j] != i;
        serial += pthread_barrier_wait(&gate) == PTHREAD_BARRIER_SERIAL_THREAD;
    }
    return (void *)(serial + wrong * 1000000);
}

static void barrier(void) {
    RESULT(pthread_barrier_init(&gate, NULL, THREADS));
    printf("one of the threads each time, nobody ahead: %ld\n", run_threads(THREADS, meet));
    RESULT(pthread_barrier_destroy(&gate));
}

static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static long pair[2];

static void *read_or_write(void *arg) {
    long wrong = 0;
    for (int i = 0; i < ROUNDS / 4; i++) {
        if ((long)arg % 4 == 0) {
            pthread_rwlock_wrlock(&shared);
            pair[0]++;
            if (i % 64 == 0) sched_yield();
            pair[1]++;
        } else {
            pthread_rwlock_rdlock(&shared);
            wrong += pair[0] != pair[1];
        }
        pthread_rwlock_unlock(&shared);
    }
    return (void *)wrong;
}

static void rwlock(void) {
    printf("torn reads %ld\n", run_threads(THREADS, read_or_write));
    printf("writes %ld %ld\n", pair[0], pair[1]);
    struct timespec until = from_now(CLOCK_REALTIME, 10);
    RESULT(pthread_rwlock_rdlock(&shared));
    RESULT(pthread_rwlock_tryrdlock(&shared));
    printf("write while read: %s\n", strerrorname_np(pthread_rwlock_trywrlock(&shared)));
    printf("with a limit: %s\n", strerrorname_np(pthread_rwlock_timedwrlock(&shared, &until)));
}

static sem_t tickets;
static _Atomic long inside, most;

static void *enter(void *arg) {
    for (int i = 0; i < ROUNDS / 10; i++) {
        while (sem_wait(&tickets)) {}
        long now = ++inside, seen = most;
        while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now)) {}
        if (i % 16 == 0) sched_yield();
        inside--;
        sem_post(&tickets);
    }
    return arg;
}

static void semaphore(void) {
    RESULT(sem_init(&tickets, 0, 3));
    run_threads(THREADS, enter);
    int left;
    RESULT(sem_getvalue(&tickets, &left));
    printf("left %d, never more than three inside: %d\n", left, most <= 3 && inside == 0);
    sem_wait(&tickets), sem_wait(&tickets), sem_wait(&tickets);
    RESULT(sem_trywait(&tickets));
    struct timespec until = from_now(CLOCK_REALTIME, 10);
    RESULT(sem_timedwait(&tickets, &until));
}

static __thread long initialised = 40;
static __thread char zeroed[1000];
static __thread _Alignas(128) long aligned = 2;
static __thread int own_errno_seen;

static void *use_locals(void *arg) {
    long wrong = initialised != 40 || aligned != 2 || (uintptr_t)&aligned % 128 != 0;
    for (size_t i = 0; i < sizeof zeroed; i++) wrong += zeroed[i] != 0;
    for (int i = 0; i < 200; i++) {
        initialised += (long)arg;
        zeroed[i] = (char)i;
        errno = (int)(long)arg + 1;
        if (i % 50 == 0) sched_yield();
        own_errno_seen += errno == (int)(long)arg + 1;
    }
    wrong += initialised != 40 + 200 * (long)arg || own_errno_seen != 200;
    close(-1);
    wrong += errno != EBADF;
    return (void *)wrong;
}

static void locals(void) {
    errno = 99;
    printf("wrong values %ld\n", run_threads(THREADS, use_locals));
    printf("own values %ld %ld %d\n", initialised, aligned, errno);
}

static pthread_once_t once_control = PTHREAD_ONCE_INIT;
static int once_runs;

static void first_time(void) {
    pause_for(2000);
    once_runs++;
}

static void *call_once(void *arg) {
    pthread_once(&once_control, first_time);
    return (void *)(long)once_runs;
}

static void once(void) {
    printf("seen %ld\n", run_threads(THREADS, call_once));
    printf("runs %d\n", once_runs);
}

static pthread_key_t keys[3];
static _Atomic long destroyed, again;

static void destroy_value(void *value) {
    destroyed += (long)value;
}

// Stores a value again, so that the destructors take another round.
static void destroy_later(void *value) {
    if ((long)value < 3) pthread_setspecific(keys[1], (void *)((long)value + 1));
    again++;
}

static void *set_values(void *arg) {
    pthread_setspecific(keys[0], (void *)((long)arg + 100));
    pthread_setspecific(keys[1], (void *)1);
    pthread_setspecific(keys[2], (void *)7);
    sched_yield();
    if ((long)arg % 2) pthread_exit(pthread_getspecific(keys[0]));
    return pthread_getspecific(keys[0]);
}

static void specific(void) {
    RESULT(pthread_key_create(&keys[0], destroy_value));
    RESULT(pthread_key_create(&keys[1], destroy_later));
    RESULT(pthread_key_create(&keys[2], NULL));
    printf("returned %ld\n", run_threads(THREADS, set_values));
    printf("destroyed %ld, rounds %ld\n", destroyed, again);
    CHECK(pthread_getspecific(keys[0]) == NULL);
    RESULT(pthread_key_delete(keys[0]));
}

static _Atomic int started, cleaned;
static int silent_pipe[2];

static void clean(void *arg) {
    cleaned += (int)(long)arg;
}

static void *wait_for_ever(void *arg) {
    char byte;
    pthread_cleanup_push(clean, (void *)100);
    pthread_cleanup_push(clean, (void *)1);
    started++;
    switch ((long)arg) {
    case 0: for (;;) pause_for(1000000);
    case 1: read(silent_pipe[0], &byte, 1); break;
    case 2: pause(); break;
    case 3: sem_wait(&tickets); break;
    case 4: pthread_mutex_lock(&lock); pthread_cond_wait(&not_empty, &lock); break;
    case 5: for (;;) pthread_testcancel();
    case 6:
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
        for (volatile long i = 0;; i++) {}
    case 7:
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
        while (started < 100) pause_for(1000);
        cleaned += 1000;
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
        for (;;) pthread_testcancel();
    }
    pthread_cleanup_pop(1);
    pthread_cleanup_pop(1);
    return NULL;
}

static void cancel(void) {
    RESULT(pipe(silent_pipe));
    RESULT(sem_init(&tickets, 0, 0));
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, wait_for_ever, (void *)i);
    while (started < THREADS) pause_for(1000);
    pause_for(10000);
    for (int i = 0; i < THREADS; i++) pthread_cancel(threads[i]);
    started = 100;
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        int error = pthread_join(threads[i], &result);
        if (i == 4) pthread_mutex_unlock(&lock);  // held again while it is cleaned up
        printf("thread %d: %d cancelled %d\n", i, error, result == PTHREAD_CANCELED);
    }
    printf("cleaned %d\n", cleaned);
}

static void *set_and_end(void *arg) {
    cells[(long)arg % THREADS] += 1;
    return NULL;
}

static void join(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_ever, (void *)2);
    struct timespec until = from_now(CLOCK_REALTIME, 10);
    printf("still running: %s\n", strerrorname_np(pthread_tryjoin_np(thread, NULL)));
    printf("with a limit: %s\n", strerrorname_np(pthread_timedjoin_np(thread, NULL, &until)));
    pthread_cancel(thread);
    RESULT(pthread_join(thread, NULL));
    printf("itself: %s\n", strerrorname_np(pthread_join(pthread_self(), NULL)));
    RESULT(sem_init(&tickets, 0, 0));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 50; i++) pthread_create(&thread, &attributes, (void *(*)(void *))sem_post, &tickets);
    for (int i = 0; i < 50; i++) sem_wait(&tickets);
    pthread_create(&thread, NULL, wait_for_ever, (void *)2);
    RESULT(pthread_detach(thread));
    printf("detached: %s\n", strerrorname_np(pthread_join(thread, NULL)));
    // Many short lives, one after the other; their stacks are used again.
    for (long i = 0; i < 200; i++) {
        pthread_create(&thread, NULL, set_and_end, (void *)i);
        if (pthread_join(thread, NULL)) puts("failed");
    }
    long sum = 0;
    for (int i = 0; i < THREADS; i++) sum += cells[i];
    printf("short lives %ld\n", sum);
}

static void *die_with_lock(void *arg) {
    pthread_mutex_lock(arg);
    return NULL;
}

// The kernel marks the mutexes that a thread holds when it ends, from the list that the thread registered.
static void robust(void) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t own;
    pthread_t thread;
    pthread_mutexattr_init(&attributes);
    RESULT(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    RESULT(pthread_mutex_init(&own, &attributes));
    pthread_create(&thread, NULL, die_with_lock, &own);
    pthread_join(thread, NULL);
    struct timespec until = from_now(CLOCK_REALTIME, 2000);
    printf("its owner is dead: %s\n", strerrorname_np(pthread_mutex_timedlock(&own, &until)));
    RESULT(pthread_mutex_consistent(&own));
    RESULT(pthread_mutex_unlock(&own));
    pthread_create(&thread, NULL, die_with_lock, &own);
    printf("again: %s\n", strerrorname_np((pthread_join(thread, NULL), pthread_mutex_lock(&own))));
    RESULT(pthread_mutex_unlock(&own));
    printf("not mended: %s\n", strerrorname_np(pthread_mutex_lock(&own)));
    struct robust_list_head *list;
    size_t length = 0;
    RESULT(syscall(SYS_get_robust_list, 0, &list, &length));
    printf("length %zu\n", length);
}

static void *outlive(void *arg) {
    pthread_join(*(pthread_t *)arg, NULL);
    pause_for(20000);
    CHECK(getpid() != gettid());
    puts("the last thread ends the process");
    return NULL;
}

static void exit_main(void) {
    static pthread_t self, thread;
    self = pthread_self();
    pthread_create(&thread, NULL, outlive, &self);
    puts("main ends");
    pthread_exit((void *)5);
}

static void at_exit(void) {
    puts("atexit");
}

static void *end_process(void *arg) {
    pause_for(10000);
    puts("a thread ends the process");
    if (arg) fflush(stdout), _exit(44);
    exit(43);
}

static void end_by_thread(void *how) {
    atexit(at_exit);
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_ever, (void *)0);
    pthread_create(&thread, NULL, wait_for_ever, (void *)6);
    pthread_create(&thread, NULL, end_process, how);
    pthread_join(thread, NULL);
    puts("not reached");
}

static void exit_thread(void) {
    end_by_thread(NULL);
}

static void exit_thread_raw(void) {
    end_by_thread("raw");
}

static void *crash(void *arg) {
    pause_for(5000);
    return (void *)(long)*(volatile long *)opaque(16);
}

static void crash_thread(void) {
    pthread_t thread;
    puts("a thread crashes");
    fflush(stdout);
    pthread_create(&thread, NULL, wait_for_ever, (void *)6);
    pthread_create(&thread, NULL, crash, NULL);
    pthread_join(thread, NULL);
    puts("not reached");
}

static void *describe(void *arg) {
    char name[16] = "", text[64];
    pthread_attr_t attributes;
    void *stack;
    size_t size, guard;
    RESULT(pthread_getattr_np(pthread_self(), &attributes));
    RESULT(pthread_attr_getstack(&attributes, &stack, &size));
    RESULT(pthread_attr_getguardsize(&attributes, &guard));
    printf("stack %zu guard %zu\n", size, guard);
    CHECK((char *)&name > (char *)stack && (char *)&name < (char *)stack + size);
    CHECK(!arg || stack == arg);
    RESULT(pthread_setname_np(pthread_self(), "a thread's name"));
    RESULT(pthread_getname_np(pthread_self(), name, sizeof name));
    puts(name);
    printf("too long: %s\n", strerrorname_np(pthread_setname_np(pthread_self(), "sixteen letters.")));
    snprintf(text, sizeof text, "/proc/self/task/%d/comm", gettid());
    FILE *file = fopen(text, "r");
    CHECK(file && fgets(text, sizeof text, file) && !strcmp(text, "a thread's name\n"));
    CHECK(gettid() != getpid());
    cpu_set_t set;
    RESULT(sched_getaffinity(0, sizeof set, &set) != 0);
    RESULT(pthread_getcpuclockid(pthread_self(), &(clockid_t){0}));
    return NULL;
}

static void attributes(void) {
    pthread_t thread;
    pthread_attr_t attributes;
    RESULT(pthread_attr_init(&attributes));
    RESULT(pthread_attr_setstacksize(&attributes, 256 << 10));
    RESULT(pthread_attr_setguardsize(&attributes, 8192));
    printf("too small: %s\n", strerrorname_np(pthread_attr_setstacksize(&attributes, 100)));
    pthread_create(&thread, &attributes, describe, NULL);
    RESULT(pthread_join(thread, NULL));
    void *stack = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    RESULT(pthread_attr_init(&attributes));
    RESULT(pthread_attr_setstack(&attributes, stack, 1 << 20));
    pthread_create(&thread, &attributes, describe, stack);
    RESULT(pthread_join(thread, NULL));
}

static uint32_t first_word, second_word, third_word;
static _Atomic int awake;

static long futex(uint32_t *word, int operation, long value, const void *timeout, uint32_t *other, long last) {
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, other, last);
}

static void *sleep_on_first(void *arg) {
    long result = futex(&first_word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 1l << (long)arg);
    awake++;
    return (void *)result;
}

// Starts threads that wait on the first word, and moves them all to the second: then they surely wait.
static void park(pthread_t *threads) {
    long moved = 0;
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, sleep_on_first, (void *)i);
    while (moved < THREADS) {
        long count = futex(&first_word, FUTEX_CMP_REQUEUE, 0, (void *)INT_MAX, &second_word, 0);
        if (count < 0) print_result("requeue", count), exit(3);
        moved += count;
        pause_for(100);
    }
    printf("parked %ld awake %d\n", moved, awake);
}

static void *join_all(pthread_t *threads) {
    void *result;
    long sum = 0;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], &result), sum += (long)result;
    printf("joined %ld awake %d\n", sum, awake);
    awake = 0;
    return NULL;
}

static void futex_waits(void) {
    struct timespec start = from_now(CLOCK_MONOTONIC, 0), shortly = {0, 15000000}, until;
    RESULT(futex(&first_word, FUTEX_WAIT, 1, NULL, NULL, 0));
    RESULT(futex(&first_word, FUTEX_WAIT, 0, &shortly, NULL, 0));
    CHECK(milliseconds_since(start) >= 15);
    until = from_now(CLOCK_MONOTONIC, 15);
    RESULT(futex(&first_word, FUTEX_WAIT_BITSET, 0, &until, NULL, 4));
    CHECK(milliseconds_since(start) >= 29);
    until = from_now(CLOCK_REALTIME, 15);
    RESULT(futex(&first_word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL, 4));
    CHECK(milliseconds_since(start) >= 43);
    until.tv_sec = 0;
    RESULT(futex(&first_word, FUTEX_WAIT_BITSET, 0, &until, NULL, ~0u));
    until.tv_nsec = -1;
    RESULT(futex(&first_word, FUTEX_WAIT, 0, &until, NULL, 0));
    RESULT(futex(&first_word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
    RESULT(futex((uint32_t *)((char *)&first_word + 1), FUTEX_WAIT, 0, NULL, NULL, 0));
    RESULT(futex((uint32_t *)opaque(0x10), FUTEX_WAIT, 0, NULL, NULL, 0));
    RESULT(futex(&first_word, 99, 0, NULL, NULL, 0));
    RESULT(futex(&first_word, FUTEX_WAKE, 100, NULL, NULL, 0));
    RESULT(futex(&first_word, FUTEX_CMP_REQUEUE, 0, (void *)1, &second_word, 7));
}

static void futex_wakes(void) {
    pthread_t threads[THREADS];
    park(threads);
    RESULT(futex(&first_word, FUTEX_WAKE, 100, NULL, NULL, 0));
    RESULT(futex(&second_word, FUTEX_WAKE_BITSET, 100, NULL, NULL, 1 << 20));
    RESULT(futex(&second_word, FUTEX_WAKE_BITSET, 100, NULL, NULL, 5));
    RESULT(futex(&second_word, FUTEX_WAKE_BITSET, 100, NULL, NULL, 5));
    RESULT(futex(&second_word, FUTEX_WAKE, 1, NULL, NULL, 0));
    RESULT(futex(&second_word, FUTEX_REQUEUE, 1, (void *)2, &third_word, 0));
    RESULT(futex(&third_word, FUTEX_WAKE, 100, NULL, NULL, 0));
    RESULT(futex(&second_word, FUTEX_WAKE, 100, NULL, NULL, 0));
    join_all(threads);
    // Changes a word, wakes on another, and on the first when its old value fits a condition.
    third_word = 10;
    RESULT(futex(&first_word, FUTEX_WAKE_OP, 1, (void *)1, &third_word, FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 10)));
    RESULT(futex(&first_word, FUTEX_WAKE_OP, 1, (void *)1, &third_word, FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_LT, 10)));
    RESULT(futex(&first_word, FUTEX_WAKE_OP, 1, (void *)1, &third_word, FUTEX_OP(FUTEX_OP_XOR, 0xff, FUTEX_OP_CMP_NE, 1)));
    RESULT(futex(&first_word, FUTEX_WAKE_OP, 1, (void *)1, &third_word,
                 FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 12, FUTEX_OP_CMP_GE, 1)));
    printf("third word %u\n", third_word);
    park(threads);
    RESULT(futex(&third_word, FUTEX_WAKE_OP, 1, (void *)2, &second_word, FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 1)));
    RESULT(futex(&third_word, FUTEX_WAKE_OP, 1, (void *)2, &second_word, FUTEX_OP(FUTEX_OP_SET, 8, FUTEX_OP_CMP_GT, 1)));
    RESULT(futex(&second_word, FUTEX_WAKE_OP, 100, (void *)2, &third_word, FUTEX_OP(FUTEX_OP_SET, 8, FUTEX_OP_CMP_GT, 1)));
    printf("second word %u\n", second_word);
    join_all(threads);
}

static void timed_lock(void) {
    struct timespec start = from_now(CLOCK_MONOTONIC, 0), until = from_now(CLOCK_REALTIME, 20);
    pthread_mutex_lock(&lock);
    printf("held: %s\n", strerrorname_np(pthread_mutex_timedlock(&lock, &until)));
    until = from_now(CLOCK_MONOTONIC, 20);
    printf("held: %s\n", strerrorname_np(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &until)));
    CHECK(milliseconds_since(start) >= 38);
    pthread_mutex_unlock(&lock);
    RESULT(pthread_mutex_timedlock(&lock, &until));
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(mutex),      CASE(inherit),         CASE(condition),    CASE(barrier),     CASE(rwlock),      CASE(semaphore),
        CASE(locals),     CASE(once),            CASE(specific),     CASE(cancel),      CASE(join),        CASE(robust),
        CASE(exit_main),  CASE(exit_thread),     CASE(attributes),   CASE(futex_waits), CASE(futex_wakes), CASE(timed_lock),
        CASE(exit_thread_raw), CASE(crash_thread), {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
