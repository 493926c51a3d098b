// A guest plug-in without a C library: functions that a host calls by name, and a buffer to pass data in.
// docs/examples/plugin.elf is this file, compiled by
//
//   riscv64-linux-gnu-gcc -O2 -static -nostdlib -ffreestanding -fno-pie -no-pie -march=rv64gc -mabi=lp64d
//     -Wl,-z,norelro -Wl,--build-id=none -fno-asynchronous-unwind-tables -fno-ident
//     -o docs/examples/plugin.elf docs/examples/plugin.c

long buffer[64];

long add(long a, long b) {
    return a + b;
}

// Sum of the first `count` values of the buffer; each is replaced by its square.
long square_all(unsigned long count) {
    long sum = 0;
    for (unsigned long i = 0; i < count; i++) {
        sum += buffer[i];
        buffer[i] *= buffer[i];
    }
    return sum;
}

// Never returns: for a host that shows how fuel stops a guest.
void spin(void) {
    for (;;) __asm__ volatile("");
}

// Run as a program it does nothing and succeeds.
void _start(void) {
    register long number __asm__("a7") = 93;
    register long status __asm__("a0") = 0;
    __asm__ volatile("ecall" : : "r"(number), "r"(status));
    __builtin_unreachable();
}
