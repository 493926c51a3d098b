// build: -pthread -march=rv64gc
// riscv-only
// Threads that write code, make it count, and run it: each its own, each other's, and all the same.

#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/cachectl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 4, PAGE = 4096, ROUNDS = 300 };

typedef uint64_t (*function)(uint64_t);

static uint32_t *new_page(void) {
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// addi a0, a0, n; slli t0, a0, 3; xor a0, a0, t0; ret
static void write_code(uint32_t *at, uint64_t n) {
    at[0] = 0x00050513u | (uint32_t)(n % 2000) << 20;
    at[1] = 0x00351293u;
    at[2] = 0x00554533u;
    at[3] = 0x00008067u;
}

static uint64_t expected(uint64_t n, uint64_t value) {
    value += n % 2000;
    return value ^ value << 3;
}

// The ways to make code count: for all threads, for all by the compiler's builtin, and for this thread only.
static void flush(uint32_t *code, uint64_t how) {
    if (how % 3 == 0) __riscv_flush_icache(code, code + 4, 0);
    if (how % 3 == 1) __builtin___clear_cache((char *)code, (char *)(code + 4));
    if (how % 3 == 2) __asm__ volatile("fence.i" ::: "memory");
}

static uint64_t run_threads(void *(*run)(void *)) {
    pthread_t threads[THREADS];
    uint64_t sum = 0;
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, run, (void *)i);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (uint64_t)result;
    }
    return sum;
}

static void *use_own(void *arg) {
    uint64_t number = (uint64_t)arg, wrong = 0;
    uint32_t *code = new_page();
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t n = round * THREADS + number, value = n;
        write_code(code, n);
        flush(code, round);
        // Long enough now and then to become machine code.
        for (int i = 0; i < (round % 32 ? 10 : 2000); i++) value = ((function)code)(value) & 0xffffff, n += value == ~0ul;
        uint64_t check = n;
        for (int i = 0; i < (round % 32 ? 10 : 2000); i++) check = expected(n, check) & 0xffffff;
        wrong += value != check;
    }
    return (void *)wrong;
}

static void own(void) {
    printf("wrong %lu\n", run_threads(use_own));
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t *common;
static uint64_t common_n, calls;

// Each writes the code that the others run next. Who did not write it flushes for itself.
static void *use_common(void *arg) {
    uint64_t wrong = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        pthread_mutex_lock(&lock);
        __asm__ volatile("fence.i" ::: "memory");
        for (uint64_t i = 0; i < 30; i++) wrong += ((function)common)(i) != expected(common_n, i);
        calls++;
        common_n = common_n * 7 + (uint64_t)arg + round;
        write_code(common, common_n);
        pthread_mutex_unlock(&lock);
        if (round % 16 == 0) sched_yield();
    }
    return (void *)wrong;
}

static void handed(void) {
    common = new_page();
    write_code(common, 0);
    printf("wrong %lu", run_threads(use_common));
    printf(" calls %lu\n", calls);
}

static _Atomic(uint32_t *) published[THREADS];

// New code in a new place each time, flushed for all threads before it is published.
static void *use_published(void *arg) {
    uint64_t number = (uint64_t)arg, wrong = 0;
    for (uint64_t round = 1; round <= ROUNDS / 4; round++) {
        uint32_t *code = new_page(), *old;
        code[8] = (uint32_t)(number * 1000 + round);
        write_code(code, code[8]);
        if (round % 2) __riscv_flush_icache(code, code + 4, 0);
        else mprotect(code, PAGE, PROT_READ | PROT_EXEC), __builtin___clear_cache((char *)code, (char *)(code + 4));
        old = atomic_exchange(&published[(number + 1) % THREADS], code);
        if (old) munmap(old, PAGE);  // nobody has taken it
        old = atomic_exchange(&published[number], NULL);
        if (!old) continue;
        for (uint64_t i = 0; i < 50; i++) wrong += ((function)old)(i) != expected(old[8], i);
        munmap(old, PAGE);
    }
    return (void *)wrong;
}

static void places(void) {
    printf("wrong %lu\n", run_threads(use_published));
}

static _Atomic uint32_t phase;
static _Atomic uint64_t progress[THREADS];

enum { PHASES = 500 };

// All run one function that one of them changes. A call that starts after a flush never runs what was before it.
static void *run_changing(void *arg) {
    uint64_t number = (uint64_t)arg, wrong = 0;
    for (uint32_t i = 1; number == 0 && i <= PHASES; i++) {
        __atomic_store_n(&common[0], 0x00050513u | i << 20, __ATOMIC_RELAXED);  // addi a0, a0, i
        __riscv_flush_icache(common, common + 1, 0);
        wrong += ((function)common)(100) != 100 + i;
        phase = i;
        uint64_t before = progress[1 + i % 3];
        while (i % 25 == 0 && progress[1 + i % 3] == before) sched_yield();
    }
    while (number != 0 && phase < PHASES) {
        uint64_t oldest = phase, result = ((function)common)(100), newest = phase + 1;
        wrong += result < 100 + oldest || result > 100 + newest;
        if (++progress[number] % 64 == 0) sched_yield();
    }
    progress[number] += 1000000;
    return (void *)wrong;
}

static void changing(void) {
    common = new_page();
    common[0] = 0x00050513u, common[1] = 0x00008067u;
    __riscv_flush_icache(common, common + 2, 0);
    printf("wrong %lu\n", run_threads(run_changing));
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {CASE(own), CASE(handed), CASE(places), CASE(changing), {NULL, NULL}};
    return run_case(cases, argc, argv);
}
