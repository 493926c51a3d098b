// build: -pthread -latomic
// Eight threads at the same words: every operation happens exactly once.

#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8, ROUNDS = 4000 };

static pthread_barrier_t gate;
static _Atomic long wrong;

static void run_threads(void *(*function)(void *)) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&gate, NULL, THREADS);
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, function, (void *)i);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    printf("wrong %ld\n", wrong);
}

static struct {
    _Alignas(64) uint64_t add_d, xor_d, max_d, minu_d, or_d, and_d, swap_d, loop_d;
    uint32_t add_w[2], max_w, min_w, loop_w, cas_w;
} cells;
static _Atomic uint64_t swapped_out;

#define AMO(name, type, where, operand)                                                                                \
    ({                                                                                                                 \
        type old;                                                                                                      \
        __asm__ volatile(name " %0, %2, (%1)" : "=r"(old) : "r"(where), "r"(operand) : "memory");                      \
        old;                                                                                                           \
    })

#define ADD_BY_LR_SC(width, type, where, operand)                                                                      \
    do {                                                                                                               \
        type sum;                                                                                                      \
        uint64_t failed;                                                                                               \
        __asm__ volatile("1: lr." width ".aq %0, (%2)\n add %0, %0, %3\n sc." width ".rl %1, %0, (%2)\n bnez %1, 1b"   \
                         : "=&r"(sum), "=&r"(failed)                                                                   \
                         : "r"(where), "r"(operand)                                                                    \
                         : "memory");                                                                                  \
    } while (0)

// A compare and exchange as compilers write it.
static uint64_t exchange_if(uint32_t *where, uint64_t expected, uint64_t value) {
    uint64_t old, failed;
    __asm__ volatile("1: lr.w.aqrl %0, (%2)\n bne %0, %3, 2f\n sc.w.rl %1, %4, (%2)\n bnez %1, 1b\n2:"
                     : "=&r"(old), "=&r"(failed)
                     : "r"(where), "r"(expected), "r"(value)
                     : "memory");
    return old;
}

static void *use_instructions(void *arg) {
    uint64_t number = (uint64_t)arg, out = 0;
    pthread_barrier_wait(&gate);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        AMO("amoadd.d", uint64_t, &cells.add_d, i * 0x100000001);
        AMO("amoadd.w.aqrl", long, &cells.add_w[1], i * 3);
        AMO("amoxor.d.rl", uint64_t, &cells.xor_d, i << number);
        AMO("amomax.d", uint64_t, &cells.max_d, i * number);
        AMO("amominu.d.aq", uint64_t, &cells.minu_d, ~(i * number));
        AMO("amomax.w", long, &cells.max_w, i * number);
        AMO("amomin.w", long, &cells.min_w, -(long)(i * number));
        AMO("amoor.d", uint64_t, &cells.or_d, 1ul << (i + number) % 50);
        AMO("amoand.d", uint64_t, &cells.and_d, ~(1ul << (i + number) % 50));
        out += AMO("amoswap.d.aqrl", uint64_t, &cells.swap_d, i * number);
        ADD_BY_LR_SC("d", uint64_t, &cells.loop_d, i + number);
        ADD_BY_LR_SC("w", uint64_t, &cells.loop_w, i * number);
        for (uint64_t seen = cells.cas_w, old; (old = exchange_if(&cells.cas_w, seen, seen + 1)) != seen; seen = old) {}
    }
    swapped_out += out;
    return NULL;
}

static void instructions(void) {
    cells.minu_d = cells.and_d = ~0ul;
    run_threads(use_instructions);
    printf("%lx %lx %lx %lx %lx %lx\n", cells.add_d, cells.xor_d, cells.max_d, cells.minu_d, cells.or_d, cells.and_d);
    printf("%x %x %x %x %lx %x %x\n", cells.add_w[0], cells.add_w[1], cells.max_w, cells.min_w, cells.loop_d,
           cells.loop_w, cells.cas_w);
    printf("swapped %lx\n", swapped_out + cells.swap_d);
}

static struct {
    _Atomic uint8_t byte[3];
    _Atomic uint16_t half[3];
    _Atomic uint32_t word[3];
    _Atomic uint64_t wide[3];
    _Atomic __int128 both;
} types;

static void *use_types(void *arg) {
    uint64_t number = (uint64_t)arg;
    pthread_barrier_wait(&gate);
    for (uint64_t i = 0; i < ROUNDS / 2; i++) {
        // Neighbours in one word: an operation on one must not undo another's.
        int which = (int)((i + number) % 3);
        types.byte[which] += 3;
        types.half[which] += 301;
        types.word[which] += 100003;
        types.wide[which] += 10000000019;
        types.both += ((__int128)1 << 64) + ~0ul;
        uint16_t seen = types.half[0];
        while (!atomic_compare_exchange_weak(&types.half[0], &seen, seen + 1)) {}
        uint64_t wide = types.wide[0];
        while (!atomic_compare_exchange_strong_explicit(&types.wide[0], &wide, wide - 1, memory_order_acq_rel,
                                                        memory_order_relaxed)) {}
    }
    return NULL;
}

static void types_mixed(void) {
    run_threads(use_types);
    for (int i = 0; i < 3; i++) printf("%x %x %x %lx\n", types.byte[i], types.half[i], types.word[i], types.wide[i]);
    printf("%lx %lx\n", (uint64_t)(types.both >> 64), (uint64_t)types.both);
}

static void *use_bytes(void *arg) {
    unsigned char *own = (unsigned char *)&cells.add_d + (long)arg;
    pthread_barrier_wait(&gate);
    for (int i = 0; i < ROUNDS * 4; i++) {
        *(volatile unsigned char *)own += 1;
        if (i % 16 == 0) __atomic_fetch_add((unsigned char *)&cells.xor_d + (long)arg % 4, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

// Each thread has a byte of its own in a shared word: plain stores of bytes leave the others alone.
static void neighbours(void) {
    run_threads(use_bytes);
    printf("%lx %lx\n", cells.add_d, cells.xor_d);
}

static atomic_flag flag = ATOMIC_FLAG_INIT;
static _Atomic int ticket, serving;
static _Atomic uint8_t byte_lock;
static long guarded[3];

static void *spin(void *arg) {
    pthread_barrier_wait(&gate);
    for (int i = 0; i < ROUNDS / 8; i++) {
        while (atomic_flag_test_and_set_explicit(&flag, memory_order_acquire)) sched_yield();
        guarded[0] = guarded[0] + 1;
        atomic_flag_clear_explicit(&flag, memory_order_release);
        int own = atomic_fetch_add_explicit(&ticket, 1, memory_order_relaxed);
        while (atomic_load_explicit(&serving, memory_order_acquire) != own) sched_yield();
        guarded[1] = guarded[1] + 1;
        atomic_store_explicit(&serving, own + 1, memory_order_release);
        for (uint8_t free = 0; !atomic_compare_exchange_weak(&byte_lock, &free, 1); free = 0) sched_yield();
        guarded[2] = guarded[2] + 1;
        atomic_store(&byte_lock, 0);
    }
    return arg;
}

static void spinlocks(void) {
    run_threads(spin);
    printf("%ld %ld %ld\n", guarded[0], guarded[1], guarded[2]);
}

enum { NODES = 64 };

static struct {
    uint32_t value;
    _Atomic uint32_t next;
} nodes[NODES + 1];
static _Atomic uint64_t stacks[2];  // the number of the first node, and above it a count against confusion

static void push(_Atomic uint64_t *stack, uint32_t node) {
    uint64_t top = atomic_load(stack);
    do nodes[node].next = (uint32_t)top;
    while (!atomic_compare_exchange_weak(stack, &top, ((top >> 32) + 1) << 32 | node));
}

static uint32_t pop(_Atomic uint64_t *stack) {
    uint64_t top = atomic_load(stack);
    while ((uint32_t)top)
        if (atomic_compare_exchange_weak(stack, &top, ((top >> 32) + 1) << 32 | nodes[(uint32_t)top].next)) break;
    return (uint32_t)top;
}

static void *move_nodes(void *arg) {
    pthread_barrier_wait(&gate);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t node = pop(&stacks[i % 2]);
        if (!node) continue;
        nodes[node].value += 2;
        nodes[node].value -= 1;
        push(&stacks[(i + (int)(long)arg) / 2 % 2], node);
        swapped_out++;
    }
    return NULL;
}

static void stack(void) {
    for (uint32_t i = 1; i <= NODES; i++) push(&stacks[i % 2], i);
    run_threads(move_nodes);
    uint64_t moves = 0, seen = 0;
    for (int i = 0; i < 2; i++)
        for (uint32_t node; (node = pop(&stacks[i]));) seen += 1ul << (node - 1), moves += nodes[node].value;
    printf("each node once: %lx, moves agree: %d\n", seen, moves == swapped_out);
}

enum { SLOTS = 16 };

// A bounded queue for many writers and readers: each slot counts whose turn it is.
static struct {
    _Atomic uint64_t turn;
    uint64_t value;
} slots[SLOTS];
static _Atomic uint64_t head, tail, taken;

static void *pass(void *arg) {
    uint64_t number = (uint64_t)arg, sum = 0;
    pthread_barrier_wait(&gate);
    for (uint64_t i = 0; i < ROUNDS / 4; i++) {
        if (number % 2) {
            uint64_t at = atomic_fetch_add(&tail, 1);
            while (atomic_load_explicit(&slots[at % SLOTS].turn, memory_order_acquire) != at / SLOTS * 2) sched_yield();
            slots[at % SLOTS].value = number * ROUNDS + i;
            atomic_store_explicit(&slots[at % SLOTS].turn, at / SLOTS * 2 + 1, memory_order_release);
        } else {
            uint64_t at = atomic_fetch_add(&head, 1);
            while (atomic_load_explicit(&slots[at % SLOTS].turn, memory_order_acquire) != at / SLOTS * 2 + 1) sched_yield();
            sum += slots[at % SLOTS].value;
            atomic_store_explicit(&slots[at % SLOTS].turn, at / SLOTS * 2 + 2, memory_order_release);
        }
    }
    taken += sum;
    return NULL;
}

static void queue(void) {
    run_threads(pass);
    printf("taken %lu of %lu\n", taken, tail);
}

static uint64_t version[2], record[4];

static void *read_or_write(void *arg) {
    pthread_barrier_wait(&gate);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        if (!arg) {  // the only writer
            __atomic_store_n(&version[0], i * 2 - 1, __ATOMIC_RELAXED);
            __atomic_thread_fence(__ATOMIC_RELEASE);
            for (int j = 0; j < 4; j++) __atomic_store_n(&record[j], i * (uint64_t)(j + 1), __ATOMIC_RELAXED);
            __atomic_store_n(&version[0], i * 2, __ATOMIC_RELEASE);
        } else {
            uint64_t before = __atomic_load_n(&version[0], __ATOMIC_ACQUIRE), copy[4];
            for (int j = 0; j < 4; j++) copy[j] = __atomic_load_n(&record[j], __ATOMIC_RELAXED);
            __atomic_thread_fence(__ATOMIC_ACQUIRE);
            if (before % 2 || before != __atomic_load_n(&version[0], __ATOMIC_RELAXED)) continue;
            for (int j = 0; j < 4; j++) wrong += copy[j] != before / 2 * (uint64_t)(j + 1);
        }
    }
    return NULL;
}

// Readers that see the same even version before and after have read one writer's record.
static void sequence(void) {
    run_threads(read_or_write);
    printf("version %lu\n", version[0]);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(instructions), CASE(types_mixed), CASE(neighbours), CASE(spinlocks),
        CASE(stack),        CASE(queue),       CASE(sequence),   {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
