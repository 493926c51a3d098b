// Code that appears, changes and goes while calls to it are hot.
// link: static

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int (*function)(int);

enum { PAGE = 4096, ROUNDS = 5000 };

// addi a0, a0, n; ret
static void write_code(unsigned *at, int n) {
    at[0] = 0x00050513u | (unsigned)n << 20;
    at[1] = 0x00008067u;
}

static unsigned *new_page(void *where, int prot) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED : 0);
    return mmap(where, PAGE, prot, flags, -1, 0);
}

static int hot(function f, int times) {
    int sum = 0;
    for (int i = 0; i < times; i++) sum = f(sum) & 0xffff;
    return sum;
}

// One instruction changes; fence.i makes it count.
static void fences(void) {
    unsigned *code = new_page(0, PROT_READ | PROT_WRITE | PROT_EXEC);
    unsigned sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        write_code(code, round % 1000);
        __asm__ volatile("fence.i" ::: "memory");
        sum = sum * 31 + (unsigned)hot((function)code, round % 16);
    }
    printf("%u\n", sum);
    // Long enough each time to become machine code.
    for (int round = 0; round < 200; round++) {
        write_code(code, round);
        __asm__ volatile("fence.i" ::: "memory");
        sum = sum * 31 + (unsigned)hot((function)code, 500);
    }
    printf("%u\n", sum);
}

// The same by the system call.
static void flush(void) {
    unsigned *code = new_page(0, PROT_READ | PROT_WRITE | PROT_EXEC);
    unsigned sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        write_code(code, round % 1000);
        if (syscall(SYS_riscv_flush_icache, code, code + 2, 0) != 0) puts("flush failed");
        sum = sum * 31 + (unsigned)hot((function)code, round % 100);
    }
    printf("%u\n", sum);
}

// Code is unmapped, and other code mapped where it was.
static void remap(void) {
    unsigned *code = new_page(0, PROT_READ | PROT_WRITE);
    unsigned sum = 0;
    for (int round = 0; round < 1000; round++) {
        write_code(code, round);
        mprotect(code, PAGE, PROT_READ | PROT_EXEC);
        sum = sum * 31 + (unsigned)hot((function)code, round % 300);
        munmap(code, PAGE);
        code = new_page(code, PROT_READ | PROT_WRITE);
    }
    printf("%u\n", sum);
}

// Every second time the new mapping takes the place of the old one at once.
static void replace(void) {
    unsigned *code = new_page(0, PROT_READ | PROT_WRITE);
    unsigned sum = 0;
    for (int round = 0; round < 1000; round++) {
        code = new_page(code, PROT_READ | PROT_WRITE | PROT_EXEC);
        write_code(code, round);
        __asm__ volatile("fence.i" ::: "memory");
        sum = sum * 31 + (unsigned)hot((function)code, round % 300);
    }
    printf("%u\n", sum);
}

// The page is no longer executable when it is called again.
static void protect(void) {
    unsigned *code = new_page(0, PROT_READ | PROT_WRITE | PROT_EXEC);
    write_code(code, 3);
    __asm__ volatile("fence.i" ::: "memory");
    printf("%d\n", hot((function)code, 10000));
    fflush(stdout);
    mprotect(code, PAGE, PROT_READ | PROT_WRITE);
    printf("%d\n", hot((function)code, 10000));
}

// The same when it is gone.
static void unmap(void) {
    unsigned *code = new_page(0, PROT_READ | PROT_WRITE | PROT_EXEC);
    write_code(code, 3);
    __asm__ volatile("fence.i" ::: "memory");
    printf("%d\n", hot((function)code, 10000));
    fflush(stdout);
    munmap(code, PAGE);
    printf("%d\n", hot((function)code, 10000));
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "fences")) fences();
    if (!strcmp(what, "flush")) flush();
    if (!strcmp(what, "remap")) remap();
    if (!strcmp(what, "replace")) replace();
    if (!strcmp(what, "protect")) protect();
    if (!strcmp(what, "unmap")) unmap();
    return 0;
}
