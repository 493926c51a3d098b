// riscv_hwprobe: the base behaviour that every RV64GC machine reports, and unknown keys.

#include "check.h"
#include <sys/syscall.h>
#include <unistd.h>

struct pair {
    int64_t key;
    uint64_t value;
};

int main(void) {
    struct pair pairs[] = {{3, 0}, {4, 0}, {12345, 77}, {5, 0}};
    RESULT(syscall(258, pairs, 4, 0, NULL, 0));
    printf("base behaviour: key %ld IMA %lu\n", (long)pairs[0].key, pairs[0].value & 1);
    printf("extensions: key %ld FD %lu C %lu\n", (long)pairs[1].key, pairs[1].value & 1, pairs[1].value >> 1 & 1);
    printf("unknown: key %ld value %lu\n", (long)pairs[2].key, pairs[2].value);
    printf("misaligned access: key %ld\n", (long)pairs[3].key);
    RESULT(syscall(258, pairs, 4, 0, NULL, 0xff));
    return 0;
}
