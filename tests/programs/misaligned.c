// Loads and stores at every misalignment, inside a page and across the border of two.

#include "check.h"
#include <sys/mman.h>

int main(void) {
    unsigned char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 3 * 4096; i++) pages[i] = (unsigned char)(i * 37 + (i >> 8));
    for (int offset = -9; offset <= 9; offset++) {
        unsigned char *p = pages + 4096 + opaque((uint64_t)(long)offset);
        uint64_t h, hu, w, wu, d, fd, fw;
        __asm__ volatile("lh %0, 0(%6)\n lhu %1, 0(%6)\n lw %2, 0(%6)\n lwu %3, 0(%6)\n ld %4, 0(%6)\n fld ft0, 0(%6)\n fmv.x.d %5, ft0"
                         : "=&r"(h), "=&r"(hu), "=&r"(w), "=&r"(wu), "=&r"(d), "=&r"(fd)
                         : "r"(p)
                         : "ft0", "memory");
        __asm__ volatile("flw ft0, 0(%1)\n fmv.x.d %0, ft0" : "=r"(fw) : "r"(p) : "ft0", "memory");
        printf("%d: %lx %lx %lx %lx %lx %lx %lx", offset, h, hu, w, wu, d, fd, fw);
        __asm__ volatile("sh %0, 0(%1)\n sw %0, 11(%1)\n sd %0, 21(%1)\n fmv.d.x ft0, %0\n fsd ft0, 33(%1)\n fsw ft0, 45(%1)"
                         : : "r"(0x1122334455667788 + offset), "r"(p) : "ft0", "memory");
        printf(" %lx\n", checksum(pages, 3 * 4096));
    }
    return 0;
}
