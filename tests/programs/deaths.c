// Ends in the way its argument names: exit codes and signals that nothing catches.

#include "check.h"
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static long __attribute__((noinline)) recurse(long n) {
    volatile long frame[64];
    frame[n & 63] = n;
    return recurse(n + 1) + frame[(n + 1) & 63];
}

static void at_exit(void) {
    puts("atexit");
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "";
    printf("%s\n", way);
    fflush(stdout);
    volatile long *address = (long *)opaque(0);
    if (!strcmp(way, "return")) return 7;
    if (!strcmp(way, "exit")) atexit(at_exit), exit(300);
    if (!strcmp(way, "_exit")) atexit(at_exit), printf("lost"), _exit(255);
    if (!strcmp(way, "abort")) abort();
    if (!strcmp(way, "null-read")) return (int)*address;
    if (!strcmp(way, "null-write")) *address = 1;
    if (!strcmp(way, "null-call")) ((void (*)(void))address)();
    if (!strcmp(way, "illegal")) __asm__ volatile(".word 0xffffffff");
    if (!strcmp(way, "unimp")) __asm__ volatile("unimp");
    if (!strcmp(way, "ebreak")) __asm__ volatile("ebreak");
    if (!strcmp(way, "overflow")) return (int)recurse(0);
    if (!strcmp(way, "write-code")) *(volatile long *)(uintptr_t)main = 1;
    if (!strcmp(way, "execute-data")) {
        static uint32_t data[2] = {0x00008067, 0x00008067};
        ((void (*)(void))data)();
        puts("survived");
    }
    if (!strcmp(way, "after-munmap")) {
        char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        page[0] = 1;
        munmap(page, 4096);
        page[0] = 2;
    }
    if (!strcmp(way, "read-only")) {
        char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        page[0] = 1;
    }
    if (!strcmp(way, "past-end-of-file")) {
        FILE *file = tmpfile();
        char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
        return page[0];
    }
    if (!strcmp(way, "kill")) kill(getpid(), SIGTERM);
    if (!strcmp(way, "raise")) raise(SIGUSR1);
    puts("not reached");
    return 99;
}
