// build: -march=rv64gc -latomic
// Atomic memory operations of both widths and all orderings, LR/SC loops, and C11 atomics.

#include "check.h"
#include <stdatomic.h>

static uint64_t cell;

#define AMO(name)                                                                                     \
    do {                                                                                              \
        uint64_t old;                                                                                 \
        cell = memory;                                                                                \
        __asm__ volatile(name " %0, %2, (%1)" : "=r"(old) : "r"(&cell), "r"(operand) : "memory");     \
        printf(" " name " %lx %lx", old, cell);                                                       \
    } while (0)

#define ALL(name)                                                                                     \
    AMO(name ".w"); AMO(name ".d"); AMO(name ".w.aq"); AMO(name ".d.rl"); AMO(name ".d.aqrl")

static void operations(uint64_t memory, uint64_t operand) {
    printf("%lx %lx:", memory, operand);
    ALL("amoswap"); ALL("amoadd"); ALL("amoxor"); ALL("amoand"); ALL("amoor");
    ALL("amomin"); ALL("amomax"); ALL("amominu"); ALL("amomaxu");
    putchar('\n');
}

// The upper half of a doubleword is aligned for a word operation.
static void upper_word(void) {
    uint64_t old;
    cell = 0x8000000012345678;
    __asm__ volatile("amoadd.w %0, %2, (%1)" : "=r"(old) : "r"((char *)&cell + 4), "r"(-1l) : "memory");
    printf("upper word %lx %lx\n", old, cell);
}

static uint64_t add_with_lr_sc(uint64_t *where, uint64_t amount) {
    uint64_t value, failed;
    __asm__ volatile("1: lr.d.aq %0, (%2)\n add %0, %0, %3\n sc.d.rl %1, %0, (%2)\n bnez %1, 1b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(where), "r"(amount)
                     : "memory");
    return value;
}

static void reservations(void) {
    uint64_t other = 0, loaded, failed;
    cell = 0xffffffff80000001;
    __asm__ volatile("lr.w %0, (%2)\n sc.w %1, %3, (%2)" : "=&r"(loaded), "=&r"(failed) : "r"(&cell), "r"(7ul) : "memory");
    printf("lr.w sc.w %lx %lu %lx\n", loaded, failed, cell);
    __asm__ volatile("sc.d %0, %2, (%1)" : "=r"(failed) : "r"(&cell), "r"(9ul) : "memory");
    printf("sc without reservation: failed %d, cell %lx\n", failed != 0, cell);
    __asm__ volatile("lr.d %0, (%2)\n sc.d %1, %4, (%3)"
                     : "=&r"(loaded), "=&r"(failed)
                     : "r"(&cell), "r"(&other), "r"(9ul)
                     : "memory");
    printf("sc to another address: failed %d, other %lx\n", failed != 0, other);
    __asm__ volatile("lr.d %0, (%2)\n sc.d %1, %3, (%2)\n sc.d %1, %3, (%2)"
                     : "=&r"(loaded), "=&r"(failed)
                     : "r"(&cell), "r"(11ul)
                     : "memory");
    printf("second sc: failed %d, cell %lx\n", failed != 0, cell);
    for (int i = 0; i < 1000; i++) add_with_lr_sc(&cell, (uint64_t)i);
    printf("lr/sc loop %lx\n", cell);
}

static void c11(void) {
    static _Atomic uint8_t byte = 250;
    static _Atomic uint16_t half = 65530;
    static _Atomic int word = -5;
    static _Atomic long wide = 1;
    static atomic_flag flag = ATOMIC_FLAG_INIT;
    for (int i = 0; i < 10; i++) {
        byte++;
        half += 3;
        word *= 3;
        wide = wide << 3 ^ i;
    }
    printf("%u %u %d %ld\n", byte, half, word, wide);
    long expected = 1;
    int done = atomic_compare_exchange_strong(&wide, &expected, 2);
    printf("%d %ld\n", done, expected);
    done = atomic_compare_exchange_strong(&wide, &expected, 2);
    printf("%d %ld %ld\n", done, expected, wide);
    uint8_t small = 4;
    done = atomic_compare_exchange_strong(&byte, &small, 77);
    printf("%d %u\n", done, byte);
    printf("%d %d\n", atomic_flag_test_and_set(&flag), atomic_flag_test_and_set(&flag));
    atomic_thread_fence(memory_order_seq_cst);
    printf("%d %ld\n", atomic_exchange(&word, 9), atomic_fetch_sub(&wide, 10));
}

int main(void) {
    static const uint64_t values[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~0ul, 0x123456789abcdef0};
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 9; j++) operations(values[i], values[j]);
    upper_word();
    reservations();
    c11();
    return 0;
}
