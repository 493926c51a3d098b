// Code that is written while the program runs: into fresh memory, over code that has run, after mprotect, and
// through riscv_flush_icache as well as fence.i.

#include "check.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef long function(long);

// addi a0, a0, amount ; ret
static void write_code(uint32_t *code, int amount) {
    code[0] = (uint32_t)amount << 20 | 10 << 15 | 10 << 7 | 0x13;
    code[1] = 0x00008067;
}

int main(void) {
    uint32_t *code = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    function *f = (function *)(uintptr_t)code;
    for (int i = 0; i < 20; i++) {
        write_code(code, i);
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        printf("%ld ", f(100));
    }
    putchar('\n');
    // fence.i in the writer itself; hot code replaced.
    long sum = 0;
    for (int i = 0; i < 50; i++) {
        write_code(code, i);
        __asm__ volatile("fence.i" : : : "memory");
        for (int j = 0; j < 2000; j++) sum = f(sum);
    }
    printf("hot %ld\n", sum);
    // An instruction that straddles two pages, with the second half replaced.
    uint16_t *border = (uint16_t *)(code + 1024) - 1;
    function *g = (function *)(uintptr_t)border;
    for (int i = 0; i < 5; i++) {
        uint32_t words[2];
        write_code(words, 100 * i);
        memcpy(border, words, 8);
        RESULT(syscall(259, border, border + 4, 0));  // riscv_flush_icache
        printf("border %ld\n", g(1));
    }
    // Writable, then executable, and back.
    for (int i = 0; i < 4; i++) {
        RESULT(mprotect(code, 4096, PROT_READ | PROT_WRITE));
        write_code(code, 7 * i);
        RESULT(mprotect(code, 4096, PROT_READ | PROT_EXEC));
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        printf("switched %ld\n", f(1));
    }
    // Other code at the same address: unmapped and mapped anew.
    for (int i = 0; i < 4; i++) {
        RESULT(munmap(code, 4096));
        uint32_t *again = mmap(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        CHECK(again == code);
        write_code(again, 1000 + i);
        __builtin___clear_cache((char *)again, (char *)(again + 2));
        printf("mapped anew %ld\n", f(0));
    }
    return 0;
}
