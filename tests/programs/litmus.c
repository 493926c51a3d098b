// build: -pthread -march=rv64gc
// riscv-only
// Litmus tests of the memory model (RISC-V Unpriv. 17, RVWMO): what it forbids never happens. Each test runs
// small threads against each other many times; "observe" as a second argument counts what it allows, too.

#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { CELLS = 256, MOST_THREADS = 4, MOST_ROUNDS = 100000 };

// One run of a test: two locations on cache lines of their own, and what each thread has read.
struct cell {
    _Alignas(64) uint64_t x;
    _Alignas(64) uint64_t y;
    _Alignas(64) uint64_t read[MOST_THREADS][2];
};

struct litmus {
    const char *name;
    int forbidden;
    int (*weak)(const struct cell *c);
    void (*thread[MOST_THREADS])(struct cell *c, uint64_t *read);
};

#define THREAD(name, code)                                                                                             \
    static void name(struct cell *c, uint64_t *read) {                                                                 \
        uint64_t a = 0, b = 0, t = 0;                                                                                  \
        __asm__ volatile(code                                                                                          \
                         : [a] "+&r"(a), [b] "+&r"(b), [t] "+&r"(t)                                                    \
                         : [x] "r"(&c->x), [y] "r"(&c->y), [one] "r"(1ul), [two] "r"(2ul)                              \
                         : "memory");                                                                                  \
        read[0] = a, read[1] = b;                                                                                      \
    }
#define OUTCOME(name, condition)                                                                                       \
    static int name(const struct cell *c) {                                                                            \
        const uint64_t a0 = c->read[0][0], b0 = c->read[0][1], a1 = c->read[1][0], b1 = c->read[1][1];                 \
        const uint64_t a2 = c->read[2][0], b2 = c->read[2][1], a3 = c->read[3][0], b3 = c->read[3][1];                 \
        (void)a0, (void)b0, (void)a1, (void)b1, (void)a2, (void)b2, (void)a3, (void)b3;                                \
        return condition;                                                                                              \
    }

#define LOAD(to, from) "ld %[" #to "], 0(%[" #from "])\n"
#define STORE(value, to) "sd %[" #value "], 0(%[" #to "])\n"
#define FENCE(kind) "fence " kind "\n"

// Store buffering: each stores, then reads the other's location.
THREAD(sb_x, STORE(one, x) LOAD(a, y))
THREAD(sb_y, STORE(one, y) LOAD(a, x))
THREAD(sb_x_fence, STORE(one, x) FENCE("rw, rw") LOAD(a, y))
THREAD(sb_y_fence, STORE(one, y) FENCE("rw, rw") LOAD(a, x))
THREAD(sb_x_wr, STORE(one, x) FENCE("w, r") LOAD(a, y))
THREAD(sb_y_wr, STORE(one, y) FENCE("w, r") LOAD(a, x))
THREAD(sb_x_amo, "amoswap.d.aq %[t], %[one], (%[x])\n" LOAD(a, y))
THREAD(sb_y_amo, "amoswap.d.aq %[t], %[one], (%[y])\n" LOAD(a, x))
THREAD(sb_x_sc, "amoswap.d.rl %[t], %[one], (%[x])\n lr.d.aqrl %[a], (%[y])\n")
THREAD(sb_y_sc, "amoswap.d.rl %[t], %[one], (%[y])\n lr.d.aqrl %[a], (%[x])\n")
THREAD(sb_x_loop, "1: lr.d.aq %[t], (%[x])\n sc.d.aqrl %[t], %[one], (%[x])\n bnez %[t], 1b\n" LOAD(a, y))
THREAD(sb_y_loop, "1: lr.d.aq %[t], (%[y])\n sc.d.aqrl %[t], %[one], (%[y])\n bnez %[t], 1b\n" LOAD(a, x))
OUTCOME(sb, a0 == 0 && a1 == 0)

// Message passing: data, then a flag; who sees the flag sees the data.
THREAD(mp_write, STORE(one, x) STORE(one, y))
THREAD(mp_read, LOAD(a, y) LOAD(b, x))
THREAD(mp_write_fence, STORE(one, x) FENCE("w, w") STORE(one, y))
THREAD(mp_write_rw_w, STORE(one, x) FENCE("rw, w") STORE(one, y))
THREAD(mp_write_tso, STORE(one, x) "fence.tso\n" STORE(one, y))
THREAD(mp_write_amo, STORE(one, x) "amoswap.d.rl zero, %[one], (%[y])\n")
THREAD(mp_write_sc, STORE(one, x) "1: lr.d %[t], (%[y])\n sc.d.rl %[t], %[one], (%[y])\n bnez %[t], 1b\n")
THREAD(mp_read_fence, LOAD(a, y) FENCE("r, r") LOAD(b, x))
THREAD(mp_read_r_rw, LOAD(a, y) FENCE("r, rw") LOAD(b, x))
THREAD(mp_read_tso, LOAD(a, y) "fence.tso\n" LOAD(b, x))
THREAD(mp_read_amo, "amoor.d.aq %[a], zero, (%[y])\n" LOAD(b, x))
THREAD(mp_read_lr, "lr.d.aq %[a], (%[y])\n" LOAD(b, x))
THREAD(mp_read_address, LOAD(a, y) "xor %[t], %[a], %[a]\n add %[t], %[t], %[x]\n ld %[b], 0(%[t])\n")
THREAD(mp_read_control, LOAD(a, y) "beqz %[a], 1f\n fence.i\n 1: fence r, r\n" LOAD(b, x))
OUTCOME(mp, a1 == 1 && b1 == 0)

// Load buffering: nobody reads what is written only because of what was read.
THREAD(lb_x, LOAD(a, x) STORE(one, y))
THREAD(lb_y, LOAD(a, y) STORE(one, x))
THREAD(lb_x_data, LOAD(a, x) STORE(a, y))
THREAD(lb_x_fence, LOAD(a, x) FENCE("rw, rw") STORE(one, y))
THREAD(lb_y_fence, LOAD(a, y) FENCE("r, w") STORE(one, x))
THREAD(lb_y_data, LOAD(a, y) "xor %[t], %[a], %[a]\n add %[t], %[t], %[one]\n" STORE(t, x))
THREAD(lb_x_control, LOAD(a, x) "bnez %[a], 1f\n 1:" STORE(one, y))
OUTCOME(lb, a0 == 1 && a1 == 1)

// Coherence: one location changes in one order for all.
THREAD(write_x, STORE(one, x))
THREAD(write_x_twice, STORE(one, x) STORE(two, x))
THREAD(write_x_read, STORE(one, x) LOAD(a, x))
THREAD(write_x_two, STORE(two, x))
THREAD(read_x_twice, LOAD(a, x) LOAD(b, x))
THREAD(read_x_write, LOAD(a, x) STORE(two, x))
OUTCOME(corr, a1 > b1)
OUTCOME(cowr, a0 == 0 || (a0 == 2 && c->x == 1))
OUTCOME(corw, (a1 == 1 && c->x == 1) || a1 == 2)

// Two writers, two readers: the readers agree on the order of independent writes.
THREAD(write_y, STORE(one, y))
THREAD(read_xy_fence, LOAD(a, x) FENCE("rw, rw") LOAD(b, y))
THREAD(read_yx_fence, LOAD(a, y) FENCE("rw, rw") LOAD(b, x))
THREAD(read_xy_aq, "lr.d.aq %[a], (%[x])\n" LOAD(b, y))
THREAD(read_yx_aq, "lr.d.aq %[a], (%[y])\n" LOAD(b, x))
OUTCOME(iriw, a2 == 1 && b2 == 0 && a3 == 1 && b3 == 0)

// Two locations that both are written twice.
THREAD(w22_x, STORE(one, x) FENCE("w, w") STORE(two, y))
THREAD(w22_y, STORE(one, y) FENCE("w, w") STORE(two, x))
THREAD(w22_x_rl, STORE(one, x) "amoswap.d.rl zero, %[two], (%[y])\n")
THREAD(w22_y_rl, STORE(one, y) "amoswap.d.rl zero, %[two], (%[x])\n")
OUTCOME(w22, c->x == 1 && c->y == 1)

// R, S and WRC of the literature: a write races with a write, or passes through a third thread.
THREAD(r_x, STORE(one, x) FENCE("rw, rw") STORE(one, y))
THREAD(r_y, STORE(two, y) FENCE("rw, rw") LOAD(a, x))
OUTCOME(r, c->y == 2 && a1 == 0)
THREAD(s_x, STORE(two, x) FENCE("rw, w") STORE(one, y))
THREAD(s_y, LOAD(a, y) FENCE("r, rw") STORE(one, x))
OUTCOME(s, a1 == 1 && c->x == 2)
THREAD(wrc_pass, LOAD(a, x) FENCE("r, w") STORE(a, y))
OUTCOME(wrc, a1 == 1 && a2 == 1 && b2 == 0)

// A store between a load reserved and its store conditional makes that fail.
THREAD(lr_sc, "lr.d %[a], (%[x])\n sc.d %[b], %[one], (%[x])\n")
THREAD(lr_sc_add, "1: lr.d %[a], (%[x])\n add %[t], %[a], %[two]\n sc.d %[b], %[t], (%[x])\n bnez %[b], 1b\n")
THREAD(lr_sc_word, "1: lr.w %[a], (%[x])\n add %[t], %[a], %[one]\n sc.w %[b], %[t], (%[x])\n bnez %[b], 1b\n")
THREAD(store_byte, "sb %[two], 7(%[x])\n")
THREAD(store_half, "sh %[two], 2(%[x])\n")
THREAD(amo_add, "amoadd.d %[a], %[one], (%[x])\n")
THREAD(amo_add_upper, "addi %[t], %[x], 4\n amoadd.w %[a], %[one], (%[t])\n")
OUTCOME(stolen, a0 == 0 && b0 == 0 && c->x == 1)
OUTCOME(stolen_byte, c->x != 0x0200000000000002)
OUTCOME(stolen_half, c->x != 0x20001)
OUTCOME(lost_add, c->x != 3 && c->x != 6)
OUTCOME(lost_sum, c->x != 0x100000002)
OUTCOME(two_won, b0 == 0 && b1 == 0 && a0 == 0 && a1 == 0)

static const struct litmus tests[] = {
    {"SB", 0, sb, {sb_x, sb_y}},
    {"SB+fence.rw.rw", 1, sb, {sb_x_fence, sb_y_fence}},
    {"SB+fence.w.r", 1, sb, {sb_x_wr, sb_y_wr}},
    {"SB+amoswap.aq", 1, sb, {sb_x_amo, sb_y_amo}},
    {"SB+amoswap.rl+lr.aqrl", 1, sb, {sb_x_sc, sb_y_sc}},
    {"SB+lr.aq-sc.aqrl", 0, sb, {sb_x_loop, sb_y_loop}},
    {"MP", 0, mp, {mp_write, mp_read}},
    {"MP+fence.w.w+fence.r.r", 1, mp, {mp_write_fence, mp_read_fence}},
    {"MP+fence.rw.w+fence.r.rw", 1, mp, {mp_write_rw_w, mp_read_r_rw}},
    {"MP+fence.tso+fence.tso", 1, mp, {mp_write_tso, mp_read_tso}},
    {"MP+amoswap.rl+amoor.aq", 1, mp, {mp_write_amo, mp_read_amo}},
    {"MP+sc.rl+lr.aq", 1, mp, {mp_write_sc, mp_read_lr}},
    {"MP+fence.w.w+address", 1, mp, {mp_write_fence, mp_read_address}},
    {"MP+amoswap.rl+control+fence.r.r", 1, mp, {mp_write_amo, mp_read_control}},
    {"LB", 0, lb, {lb_x, lb_y}},
    {"LB+fence.rw.rw+fence.r.w", 1, lb, {lb_x_fence, lb_y_fence}},
    {"LB+data+data", 1, lb, {lb_x_data, lb_y_data}},
    {"LB+control+fence.r.w", 1, lb, {lb_x_control, lb_y_fence}},
    {"CoRR", 1, corr, {write_x_twice, read_x_twice}},
    {"CoWR", 1, cowr, {write_x_read, write_x_two}},
    {"CoRW", 1, corw, {write_x, read_x_write}},
    {"IRIW+fence.rw.rw", 1, iriw, {write_x, write_y, read_xy_fence, read_yx_fence}},
    {"IRIW+lr.aq", 1, iriw, {write_x, write_y, read_xy_aq, read_yx_aq}},
    {"2+2W+fence.w.w", 1, w22, {w22_x, w22_y}},
    {"2+2W+amoswap.rl", 1, w22, {w22_x_rl, w22_y_rl}},
    {"R+fence.rw.rw", 1, r, {r_x, r_y}},
    {"S+fence.rw.w+fence.r.rw", 1, s, {s_x, s_y}},
    {"WRC+fence.r.w+fence.r.r", 1, wrc, {write_x, wrc_pass, mp_read_fence}},
    {"lr-sc against sd", 1, stolen, {lr_sc, write_x_two}},
    {"lr-sc against sb", 1, stolen_byte, {lr_sc_add, store_byte}},
    {"lr.w-sc.w against sh", 1, stolen_half, {lr_sc_word, store_half}},
    {"lr-sc against amoadd", 1, lost_add, {lr_sc_add, amo_add}},
    {"lr-sc against amoadd.w above", 1, lost_sum, {lr_sc_add, amo_add_upper}},
    {"lr-sc against lr-sc", 1, two_won, {lr_sc, lr_sc}},
};

static struct cell cells[CELLS];
static const struct litmus *current;
static int thread_count, alone;
static struct {
    _Alignas(64) _Atomic long at;
} progress[MOST_THREADS];
static pthread_barrier_t gate;
static _Atomic long rounds_left, seen, runs;

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// Waits until the others are at the same cell: their instructions should overlap.
// Before, each reads what it will use: then loads are quick, and stores wait long for their cache lines.
static void keep_step(int number, long i) {
    (void)*(volatile uint64_t *)&cells[i - 1].x, (void)*(volatile uint64_t *)&cells[i - 1].y;
    atomic_store_explicit(&progress[number].at, i, memory_order_relaxed);
    for (int other = 0; other < thread_count; other++)
        for (int spins = 0; atomic_load_explicit(&progress[other].at, memory_order_relaxed) < i; spins++)
            if (spins > 100 || alone) sched_yield();
}

static void *run_thread(void *arg) {
    int number = (int)(long)arg;
    while (rounds_left > 0) {
        for (long i = 0; i < CELLS; i++) {
            keep_step(number, i + 1);
            // Now one, now the other is a little late.
            for (long late = i * (number ? 5 : 3) & 31; late > 0; late--) __asm__ volatile("");
            current->thread[number](&cells[i], cells[i].read[number]);
        }
        pthread_barrier_wait(&gate);
        if (number == 0) {
            for (long i = 0; i < CELLS; i++) seen += current->weak(&cells[i]);
            memset(cells, 0, sizeof cells);
            for (int i = 0; i < MOST_THREADS; i++) progress[i].at = 0;
            runs += CELLS;
            rounds_left -= CELLS;
        }
        pthread_barrier_wait(&gate);
    }
    return NULL;
}

static void run_test(const struct litmus *test, long milliseconds) {
    pthread_t threads[MOST_THREADS];
    long end = now() + milliseconds;
    current = test;
    seen = runs = thread_count = 0;
    while (thread_count < MOST_THREADS && test->thread[thread_count]) thread_count++;
    pthread_barrier_init(&gate, NULL, (unsigned)thread_count);
    // Many rounds, or as many as there is time for.
    while (runs < MOST_ROUNDS && (runs == 0 || now() < end)) {
        rounds_left = 8 * CELLS;
        for (long i = 0; i < thread_count; i++) pthread_create(&threads[i], NULL, run_thread, (void *)i);
        for (int i = 0; i < thread_count; i++) pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&gate);
}

int main(int argc, char **argv) {
    // Half of the tests, so that each half takes about a second.
    size_t count = sizeof tests / sizeof *tests;
    int observe = argc > 2, half = argc > 1 && !strcmp(argv[1], "second");
    alone = sysconf(_SC_NPROCESSORS_ONLN) == 1;
    for (size_t i = half ? count / 2 : 0; i < (half ? count : count / 2); i++) {
        run_test(&tests[i], observe ? 2000 : 60);
        if (observe) printf("%s: %ld of %ld\n", tests[i].name, seen, runs);
        else if (tests[i].forbidden) printf("%s: forbidden outcome seen: %ld\n", tests[i].name, seen);
    }
    return 0;
}
