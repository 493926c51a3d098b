// The whole runtime of the demo programs: output through write(2), nothing else.
// They are compiled with -ffreestanding -nostdlib, one file each, so everything here is static.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

static inline long sys_write(int fd, const void *bytes, u64 count) {
    register long a0 __asm__("a0") = fd;
    register const void *a1 __asm__("a1") = bytes;
    register u64 a2 __asm__("a2") = count;
    register long a7 __asm__("a7") = 64;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

// Output collects in a line buffer, so that a picture costs one system call a line.
static char line[128];
static u32 line_length;

static inline void flush(void) {
    sys_write(1, line, line_length);
    line_length = 0;
}

static inline void put(char c) {
    line[line_length++] = c;
    if (c == '\n' || line_length == sizeof line) flush();
}

static inline void put_text(const char *text) {
    while (*text) put(*text++);
}

static inline void put_decimal(u64 value) {
    char digits[20];
    u32 count = 0;
    do digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (count) put(digits[--count]);
}
