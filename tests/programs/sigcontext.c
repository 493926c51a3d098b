// build: -pthread -march=rv64gc -lm
// riscv-only
// Faults and the registers that handlers see and change; signals that arrive in the middle of computations.

#include "check.h"
#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void on(int number, void *handler, int flags) {
    struct sigaction action = {0};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    if (sigaction(number, &action, NULL)) puts("sigaction failed");
}

static char *map(size_t size, int protection) {
    return mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static char other_stack[65536] __attribute__((aligned(16)));
static int handled_elsewhere;

static void use_other_stack(void) {
    stack_t other = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    if (sigaltstack(&other, NULL)) puts("sigaltstack failed");
}

// fault_with(before, after): loads all registers but gp from `before`, and runs the code whose number is in x31,
// which faults; the handler leads to fault_done, which stores all registers in `after`.
struct registers {
    uint64_t x[32], f[32], fcsr;
};
void fault_with(const struct registers *before, struct registers *after);
extern char fault_done[], fault_codes[];
static uint64_t saved_registers[16] __attribute__((used));

__asm__(".text\n.globl fault_with\nfault_with:\n.option push\n.option norelax\n"
        "  la t0, saved_registers\n  sd ra, 0(t0)\n  sd sp, 8(t0)\n  sd tp, 16(t0)\n  sd a1, 24(t0)\n"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n  sd s\\n, 32 + 8 * \\n(t0)\n.endr\n"
        "  ld t0, 512(a0)\n  fscsr t0\n"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
        "  fld f\\n, 256 + 8 * \\n(a0)\n.endr\n"
        ".irp n, 1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
        "  ld x\\n, 8 * \\n(a0)\n.endr\n"
        "  ld x10, 80(a0)\n"
        "  j fault_codes\n"
        ".globl fault_done\nfault_done:\n"
        "  la x31, saved_registers\n  ld x31, 24(x31)\n"
        ".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30\n"
        "  sd x\\n, 8 * \\n(x31)\n.endr\n"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
        "  fsd f\\n, 256 + 8 * \\n(x31)\n.endr\n"
        "  frcsr t0\n  sd t0, 512(x31)\n"
        "  la t0, saved_registers\n  ld ra, 0(t0)\n  ld sp, 8(t0)\n  ld tp, 16(t0)\n"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n  ld s\\n, 32 + 8 * \\n(t0)\n.endr\n"
        "  fscsr zero\n  ret\n"
        // x31 counts down on the way to the code.
        "fault_codes:\n  bnez x31, 1f\n"
        ".option norvc\n"
        "fault_0: ld x29, 16(x30)\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\nfault_1: sw x29, -4(x30)\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\nfault_2: amoadd.d x29, x28, (x30)\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\nfault_3: flw f9, 8(x30)\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\nfault_4: lr.w x29, (x30)\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\nfault_5: jalr x1, 0(x30)\n"
        ".option rvc\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\nfault_6: c.ld x8, 8(x9)\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\n.balign 4\nfault_7: c.unimp\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\n.balign 4\nfault_8: c.ebreak\n"
        "1: addi x31, x31, -1\n  bnez x31, 1f\nfault_9: .word 0xffffffff\n"
        // Work in many registers before the fault: an adder that walks off the end of the page.
        "1: .balign 4\nfault_10: add x5, x5, x6\n  mul x7, x7, x28\n  xor x11, x11, x5\n  fadd.d f1, f1, f2\n"
        "  fmul.s f3, f4, f5\n  ld x12, 0(x30)\n  add x13, x13, x12\n  addi x14, x14, 1\n  addi x30, x30, 8\n  j fault_10\n"
        ".option pop\n");

static volatile uint64_t seen_x[32], seen_f[32], seen_address, seen_fcsr;
static volatile int seen_number, seen_code;

// Calls nothing: tp is not its own.
static void leave_fault(int number, siginfo_t *info, void *context) {
    ucontext_t *at = context;
    seen_number = number, seen_code = info->si_code, seen_address = (uint64_t)info->si_addr;
    for (int i = 0; i < 32; i++) seen_x[i] = at->uc_mcontext.__gregs[i];
    for (int i = 0; i < 32; i++) seen_f[i] = at->uc_mcontext.__fpregs.__d.__f[i];
    seen_fcsr = at->uc_mcontext.__fpregs.__d.__fcsr;
    at->uc_mcontext.__gregs[REG_PC] = (uint64_t)fault_done;
}

static void registers(void) {
    static struct registers before, after;
    static const char *const what[] = {"ld", "sw", "amoadd.d", "flw", "lr.w", "jalr", "c.ld", "c.unimp", "c.ebreak", "illegal", "loop"};
    char *page = map(3 * PAGE, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 3 * PAGE; i++) page[i] = (char)(i * 7);
    mprotect(page + PAGE, PAGE, PROT_NONE);
    munmap(page + 2 * PAGE, PAGE);
    use_other_stack();
    on(SIGSEGV, leave_fault, SA_ONSTACK), on(SIGILL, leave_fault, SA_ONSTACK);
    on(SIGTRAP, leave_fault, SA_ONSTACK), on(SIGBUS, leave_fault, SA_ONSTACK);
    for (int round = 0; round < 22; round++) {
        uint64_t which = (uint64_t)round % 11;
        for (uint64_t i = 1; i < 32; i++) before.x[i] = i * 0x0101010101010101 + (uint64_t)round;
        for (uint64_t i = 0; i < 32; i++) before.f[i] = 0x3ff0000000000000 + (i << 44) + (uint64_t)round;
        for (uint64_t i = 4; i < 6; i++) before.f[i] = 0xffffffff3f800000 + (i << 10);
        before.fcsr = (uint64_t)(round % 4) << 5 | (which == 10 ? 0 : (uint64_t)round);
        char *bad = page + (round < 11 ? PAGE : 2 * PAGE);
        before.x[9] = before.x[30] = (uint64_t)(bad + (which == 1 ? 4 : 0) - (which == 10 && round < 11 ? 2048 : 0));
        before.x[31] = which;
        fault_with(&before, &after);
        printf("%s: signal %d code %d", what[which], seen_number, seen_code);
        if (seen_number == SIGSEGV) printf(" address %+ld", (long)(seen_address - (uint64_t)bad));
        else printf(" address is pc %d", seen_address == seen_x[REG_PC]);
        printf(" pc %+ld", (long)(seen_x[REG_PC] - (which == 5 ? (uint64_t)bad : (uint64_t)fault_codes)));
        printf(" fcsr %lx\n", seen_fcsr);
        for (int i = 1; i < 32; i++) {
            if (i == 3 || i == 31) continue;
            uint64_t expected = before.x[i];
            if (seen_x[i] != expected && which == 5 && i == 1) printf("  link %+ld\n", (long)(seen_x[1] - (uint64_t)fault_codes));
            else if (seen_x[i] != expected) printf("  x%d %lx\n", i, i == 30 ? seen_x[i] - (uint64_t)bad : seen_x[i]);
            if (after.x[i] != seen_x[i]) printf("  x%d differs after return\n", i);
        }
        for (int i = 0; i < 32; i++) {
            if (seen_f[i] != before.f[i]) printf("  f%d %lx\n", i, seen_f[i]);
            if (after.f[i] != seen_f[i]) printf("  f%d differs after return\n", i);
        }
        if (after.fcsr != seen_fcsr) puts("  fcsr differs after return");
        printf("  x31 %lx\n", seen_x[31]);
    }
}

static volatile int faults;
static siginfo_t last;

// Skips the instruction, and gives it a result.
static void skip(int number, siginfo_t *info, void *context) {
    mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;
    last = *info;
    faults++;
    uint16_t code = *(uint16_t *)at->__gregs[REG_PC];
    at->__gregs[REG_PC] += (code & 3) == 3 ? 4 : 2;
    at->__gregs[10] = 0x1234567890 + (unsigned long)faults;
    at->__gregs[31] ^= ~0ul;
    at->__fpregs.__d.__f[10] = 0x4008000000000000;
    at->__fpregs.__d.__f[31] = 0xbff0000000000000 + (unsigned long)faults;
    at->__fpregs.__d.__fcsr = 0x65;
}

static void change(void) {
    on(SIGSEGV, skip, 0), on(SIGILL, skip, 0), on(SIGTRAP, skip, 0);
    for (int i = 0; i < 400; i++) {
        register uint64_t a0 __asm__("a0") = 0, t6 __asm__("t6") = (uint64_t)i;
        register double fa0 __asm__("fa0") = 1.0, ft11 __asm__("ft11") = 2.0;
        uint64_t flags;
        __asm__ volatile("fscsr zero\n ld a0, 0(zero)\n add a0, a0, t6\n frcsr %[flags]\n fscsr zero"
                         : "+r"(a0), "+r"(t6), "+f"(fa0), "+f"(ft11), [flags] "=&r"(flags)
                         :
                         : "memory");
        if (i % 80 == 0) printf("load: %lx %lx %a %a %lx\n", a0, t6, fa0, ft11, flags);
        a0 = 5;
        __asm__ volatile(".option push\n.option rvc\n c.ebreak\n.option pop\n add a0, a0, t6" : "+r"(a0), "+r"(t6), "+f"(fa0), "+f"(ft11)::"memory");
        if (i % 80 == 0) printf("ebreak: %lx %lx %a %a code %d\n", a0, t6, fa0, ft11, last.si_code);
        __asm__ volatile(".word 0xffffffff\n add a0, a0, t6\n fscsr zero" : "+r"(a0), "+r"(t6), "+f"(fa0), "+f"(ft11)::"memory");
        if (i % 80 == 0) printf("illegal: %lx %lx %a %a code %d\n", a0, t6, fa0, ft11, last.si_code);
    }
    printf("faults %d\n", faults);
}

static void print_fault(int number, siginfo_t *info, void *context) {
    last = *info;
    faults++;
    mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;
    at->__gregs[REG_PC] = at->__gregs[REG_RA];
    at->__gregs[10] = (unsigned long)-1;
}

__attribute__((noinline)) static long peek(volatile char *at) {
    long value;
    __asm__ volatile("lb %0, 0(%1)" : "=r"(value) : "r"(at));
    return value;
}

__attribute__((noinline)) static long poke(volatile char *at) {
    __asm__ volatile("sb zero, 0(%0)" ::"r"(at) : "memory");
    return 0;
}

static void codes(void) {
    char *pages = map(8 * PAGE, PROT_READ | PROT_WRITE);
    on(SIGSEGV, print_fault, 0), on(SIGBUS, print_fault, 0);
    FILE *file = tmpfile();
    fwrite("text", 1, 4, file), fflush(file);
    char *mapped = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    mprotect(pages + PAGE, PAGE, PROT_READ), mprotect(pages + 3 * PAGE, PAGE, PROT_NONE), munmap(pages + 5 * PAGE, PAGE);
    static const int offsets[] = {0, PAGE - 1, PAGE, PAGE + 77, 3 * PAGE + 5, 5 * PAGE + 4095, 6 * PAGE};
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 7; i++)
            for (int write = 0; write < 2; write++) {
                last.si_signo = 0;
                long result = (write ? poke : peek)(pages + offsets[i]);
                printf("%s %d: %ld", write ? "poke" : "peek", offsets[i], result);
                if (last.si_signo) printf(" signal %d code %d at %ld", last.si_signo, last.si_code, (long)((char *)last.si_addr - pages));
                putchar('\n');
            }
    printf("in the file %ld %ld\n", peek(mapped), peek(mapped + 3000));
    printf("beyond %ld", peek(mapped + PAGE + 123));
    printf(" signal %d code %d at %ld\n", last.si_signo, last.si_code, (long)((char *)last.si_addr - mapped));
    ftruncate(fileno(file), PAGE + 200);
    printf("longer file %ld\n", peek(mapped + PAGE + 123));
    ftruncate(fileno(file), 0);
    printf("no file %ld", poke(mapped));
    printf(" signal %d code %d at %ld\n", last.si_signo, last.si_code, (long)((char *)last.si_addr - mapped));
    // Code: not mapped, not executable, gone.
    typedef long (*function)(void);
    function targets[] = {(function)opaque(0x1000), (function)(pages + 6 * PAGE), (function)(pages + 5 * PAGE + 2)};
    for (int i = 0; i < 3; i++) {
        printf("call: %ld", targets[i]());
        printf(" signal %d code %d at target %d\n", last.si_signo, last.si_code, last.si_addr == (void *)targets[i]);
    }
    printf("faults %d\n", faults);
}

static char *guarded;
static long guarded_size;

// The cause is mended: the page may be written from now on.
static void allow_writing(int number, siginfo_t *info, void *context) {
    char *page = (char *)((uint64_t)info->si_addr & ~(uint64_t)(PAGE - 1));
    if (page < guarded || page >= guarded + guarded_size || info->si_code != SEGV_ACCERR) _exit(9);
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    faults++;
}

static void barrier(void) {
    guarded_size = 2000 * PAGE;
    guarded = map((size_t)guarded_size, PROT_READ);
    on(SIGSEGV, allow_writing, 0);
    for (int round = 0; round < 2; round++) {
        faults = 0;
        for (long i = 0; i < guarded_size; i += 512) *(long *)(guarded + i) += i * (round + 3);
        long sum = 0;
        for (long i = 0; i < guarded_size; i += 512) sum += *(long *)(guarded + i);
        printf("faults %d sum %ld\n", faults, sum);
        mprotect(guarded, (size_t)guarded_size, PROT_READ);
    }
    // Other widths, and several kinds of instruction.
    faults = 0;
    for (long i = 0; i < 400; i++) {
        char *at = guarded + i * PAGE + i * 8 % PAGE;
        if (i % 4 == 0) *(float *)at = (float)i;
        if (i % 4 == 1) __atomic_fetch_add((int *)at, 5, __ATOMIC_SEQ_CST);
        if (i % 4 == 2) *(short *)(at + 2) = (short)i;
        if (i % 4 == 3) __atomic_compare_exchange_n((long *)at, &(long){*(long *)at}, i, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    printf("faults %d sum %lx\n", faults, checksum(guarded, 400 * PAGE));
}

static sigjmp_buf back;

static void jump_back(int number, siginfo_t *info, void *context) {
    faults++;
    siglongjmp(back, number);
}

static void jumps(void) {
    on(SIGSEGV, jump_back, 0), on(SIGILL, jump_back, SA_NODEFER), on(SIGTRAP, jump_back, 0);
    volatile long sum = 0;
    for (volatile int i = 0; i < 10000; i++) {
        int number = sigsetjmp(back, i % 3 != 1);
        if (number) {
            sum += number;
        } else if (i % 3 == 0) {
            sum += *(volatile long *)opaque((uint64_t)i * 8 & 0xfff);
        } else if (i % 3 == 1) {
            __asm__ volatile(".word 0");
        } else {
            __asm__ volatile("ebreak");
        }
    }
    printf("faults %d sum %ld\n", faults, sum);
}

__attribute__((noinline)) static long recurse(long n) {
    volatile long frame[64];
    frame[n & 63] = n;
    return recurse(n + 1) + frame[(n + 1) & 63];
}

static void *overflow_twice(void *arg) {
    char *own = map(65536, PROT_READ | PROT_WRITE);
    stack_t other = {.ss_sp = own, .ss_size = 65536};
    sigaltstack(&other, NULL);
    for (volatile int i = 0; i < 2; i++) {
        int number = sigsetjmp(back, 1);
        if (!number) recurse(0);
        printf("%s: out of the overflow by signal %d\n", (char *)arg, number);
    }
    return NULL;
}

static void overflow(void) {
    pthread_t thread;
    pthread_attr_t attributes;
    on(SIGSEGV, jump_back, SA_ONSTACK);
    overflow_twice("main");
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    pthread_create(&thread, &attributes, overflow_twice, "thread");
    pthread_join(thread, NULL);
}

static void fault_inside(int number, siginfo_t *info, void *context) {
    faults++;
    double f = 1.0 / (double)opaque(3);
    if (number == SIGUSR1) {
        __asm__ volatile(".option push\n.option norvc\n ebreak\n.option pop");
        peek((char *)opaque(24));
        raise(SIGUSR2);
    }
    if (number == SIGTRAP) ((ucontext_t *)context)->uc_mcontext.__gregs[REG_PC] += 4, peek((char *)opaque(48));
    if (number == SIGSEGV) print_fault(number, info, context), faults += 10;
    __asm__ volatile("" ::"f"(f));
}

static void nested(void) {
    int numbers[] = {SIGUSR1, SIGUSR2, SIGTRAP, SIGSEGV};
    for (int i = 0; i < 4; i++) on(numbers[i], fault_inside, 0);
    for (int i = 0; i < 1000; i++) raise(SIGUSR1);
    printf("faults %d last at %p\n", faults, last.si_addr);
}

// A computation whose every unit gives the same, with both kinds of registers busy.
__attribute__((noinline)) static uint64_t compute(uint64_t seed) {
    uint64_t a = seed, b = ~seed, c = seed * 3, d = 1;
    double p = 1.0, q = 0.5, r = 3.0, s = (double)seed;
    float t = 1.25f;
    for (int i = 0; i < 20000; i++) {
        a = mix(a, b + (uint64_t)i), b = b << 7 | b >> 57, c ^= a * 5, d += c / (b | 1);
        p = p * 1.0000001 + q, q = q + 1 / (r + p), r = r * 0.99999 + q * 0.5, s += p - r, t = t * 0.9375f + 1.5f;
    }
    uint64_t bits[5];
    memcpy(bits, (double[]){p, q, r, s, t}, sizeof bits);
    return mix(mix(mix(mix(mix(mix(mix(a, b), c), d), bits[0]), bits[1] ^ bits[2]), bits[3]), bits[4]);
}

static volatile double disturbance;

// Uses every register, rounds otherwise, and raises flags.
static void disturb(int number, siginfo_t *info, void *context) {
    faults++;
    fesetround(faults % 2 ? FE_UPWARD : FE_TOWARDZERO);
    double x = (double)faults, y[16];
    for (int i = 0; i < 16; i++) y[i] = x / (i + 3);
    for (int i = 0; i < 16; i++) x = x * 1.5 + y[15 - i];
    disturbance = x;
    __asm__ volatile("" ::: "ft0", "ft1", "ft2", "ft3", "fs0", "fs1", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "s2", "s3",
                     "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");
}

static long milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void start_storm(void) {
    on(SIGALRM, disturb, SA_RESTART);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 100}, {0, 100}}, NULL);
}

static void storm(void) {
    uint64_t expected = compute(1);
    printf("%lx\n", expected);
    start_storm();
    int wrong = 0, flags = 0;
    for (long end = milliseconds() + 250; milliseconds() < end || faults < 20;) {
        feclearexcept(FE_ALL_EXCEPT);
        fesetround(FE_TONEAREST);
        volatile double exact = 1.0, sum = 0;
        for (int i = 0; i < 2000; i++) sum += exact;
        flags |= fetestexcept(FE_ALL_EXCEPT);
        wrong += compute(1) != expected || sum != 2000 || fegetround() != FE_TONEAREST;
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    printf("wrong %d flags %d\n", wrong, flags);
    CHECK(faults >= 20);
}

// The same while the program writes its own code: an interrupted call ends in the code it was made to.
static void storm_code(void) {
    uint32_t *code = (uint32_t *)map(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    start_storm();
    long wrong = 0;
    uint32_t round = 0;
    for (long end = milliseconds() + 250; milliseconds() < end || faults < 20; round++) {
        // addi a0, a0, n; addi a0, a0, 2n; ret
        uint32_t n = round % 1000;
        code[0] = 0x00050513u | n << 20, code[1] = 0x00050513u | 2 * n << 20, code[2] = 0x00008067u;
        __asm__ volatile("fence.i" ::: "memory");
        uint64_t sum = 0;
        for (int i = 0; i < (round % 8 ? 20 : 500); i++) sum = ((uint64_t (*)(uint64_t))code)(sum);
        wrong += sum != 3 * (uint64_t)n * (round % 8 ? 20 : 500);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    printf("wrong %ld\n", wrong);
    CHECK(faults >= 20 && round > 100);
}

static void *kill_main(void *arg) {
    for (long end = milliseconds() + 200; milliseconds() < end || faults < 20;) {
        pthread_kill(*(pthread_t *)arg, SIGUSR1);
        usleep(50);
    }
    faults += 1000000;
    return NULL;
}

// Signals from another thread during system calls and atomic operations: nothing happens twice, nothing is lost.
static void storm_calls(void) {
    pthread_t self = pthread_self(), thread;
    int ends[2];
    long sent = 0, received = 0, wrong = 0, total = 0;
    _Atomic long shared = 0;
    pipe(ends);
    on(SIGUSR1, disturb, SA_RESTART);
    pthread_create(&thread, NULL, kill_main, &self);
    while (faults < 1000000) {
        long value = sent * 3, got = -1;
        wrong += write(ends[1], &value, sizeof value) != sizeof value;
        wrong += read(ends[0], &got, sizeof got) != sizeof got || got != value;
        sent++, received++;
        for (int i = 0; i < 50; i++) total += i, shared += i;
        wrong += lseek(ends[0], 0, SEEK_SET) != -1 || errno != ESPIPE;
        wrong += getppid() <= 0;
    }
    pthread_join(thread, NULL);
    printf("wrong %ld lost %ld sum agrees %d\n", wrong, sent - received, shared == total);
}

static void death_blocked(void) {
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGSEGV);
    on(SIGSEGV, print_fault, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    puts("a fault whose signal is blocked");
    fflush(stdout);
    peek(NULL);
    puts("not reached");
}

static void death_ignored(void) {
    signal(SIGILL, SIG_IGN);
    puts("a fault whose signal is ignored");
    fflush(stdout);
    __asm__ volatile(".word 0xffffffff");
    puts("not reached");
}

static void fault_again(int number, siginfo_t *info, void *context) {
    puts("a fault in its own handler");
    fflush(stdout);
    peek((char *)opaque(8));
}

static void death_in_handler(void) {
    on(SIGSEGV, fault_again, 0);
    peek(NULL);
    puts("not reached");
}

static void death_no_stack(void) {
    puts("no stack for the handler");
    fflush(stdout);
    on(SIGSEGV, fault_again, 0);
    recurse(0);
}

static sigjmp_buf way_out;

static void on_the_other_stack(int number, siginfo_t *info, void *context) {
    char local, *at = (char *)opaque((uint64_t)&local);
    printf("signal %d code %d on the other stack %d\n", number, info->si_code, at >= other_stack && at < other_stack + sizeof other_stack);
    if (!info->si_pid && handled_elsewhere++) siglongjmp(way_out, 1);
}

// Sends a signal to itself while the stack pointer leads nowhere.
static void kill_without_stack(int number) {
    register long a0 __asm__("a0") = getpid(), a1 __asm__("a1") = number, a7 __asm__("a7") = 129;
    __asm__ volatile("mv s2, sp\n li sp, 64\n ecall\n mv sp, s2" : "+r"(a0) : "r"(a1), "r"(a7) : "s2", "memory");
}

static void exhausted(void) {
    use_other_stack();
    on(SIGUSR1, on_the_other_stack, 0);
    on(SIGSEGV, on_the_other_stack, SA_ONSTACK);
    kill_without_stack(SIGUSR1);
    puts("went on");
    // qemu-riscv64 has it blocked.
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    if (!sigsetjmp(way_out, 1)) kill_without_stack(SIGUSR1), puts("not reached");
    on(SIGUSR1, on_the_other_stack, SA_ONSTACK);
    kill_without_stack(SIGUSR1);
    puts("the end");
}

static void death_exhausted(void) {
    on(SIGUSR1, on_the_other_stack, 0);
    on(SIGSEGV, on_the_other_stack, 0);
    use_other_stack();
    puts("no stack for either handler");
    fflush(stdout);
    kill_without_stack(SIGUSR1);
    puts("not reached");
}

static void return_to_nowhere(int number, siginfo_t *info, void *context) {
    ((ucontext_t *)context)->uc_mcontext.__gregs[REG_PC] = 0x40;
    signal(SIGSEGV, SIG_DFL);
}

static void death_by_context(void) {
    on(SIGUSR1, return_to_nowhere, 0);
    puts("the handler returns to where nothing is");
    fflush(stdout);
    raise(SIGUSR1);
    puts("not reached");
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(registers), CASE(change), CASE(codes), CASE(barrier), CASE(jumps), CASE(overflow), CASE(nested), CASE(storm),
        CASE(storm_code), CASE(storm_calls), CASE(death_blocked), CASE(death_ignored), CASE(death_in_handler),
        CASE(death_no_stack), CASE(exhausted), CASE(death_exhausted), CASE(death_by_context), {NULL, NULL},
    };
    return run_case(cases, argc, argv);
}
