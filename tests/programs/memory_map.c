// mmap and its relatives, on anonymous memory and files.

#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096ul

static char *anonymous(size_t size, int protection, int flags) {
    return mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void ranges(void) {
    char *p = anonymous(10 * PAGE, PROT_READ | PROT_WRITE, 0);
    CHECK(p != MAP_FAILED && (uintptr_t)p % PAGE == 0);
    for (size_t i = 0; i < 10; i++) p[i * PAGE] = (char)i;
    RESULT(munmap(p + 3 * PAGE, 2 * PAGE));
    printf("kept %d %d\n", p[2 * PAGE], p[5 * PAGE]);
    char *q = mmap(p + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(q == p + 3 * PAGE && *q == 0);
    q = mmap(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(q == p + 2 * PAGE && *q == 0);
    q = mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    printf("noreplace %d %s\n", q == MAP_FAILED, strerrorname_np(errno));
    q = mmap(p + 4 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(q == p + 4 * PAGE);  // a free hint is taken
    RESULT(mprotect(p, 2 * PAGE, PROT_READ));
    printf("still %d\n", p[PAGE]);
    RESULT(mprotect(p, 2 * PAGE, PROT_READ | PROT_WRITE));
    p[PAGE] = 77;
    RESULT(madvise(p, 2 * PAGE, MADV_DONTNEED));
    printf("dropped %d\n", p[PAGE]);
    RESULT(madvise(p + 1, PAGE, MADV_DONTNEED));
    RESULT(madvise(p, PAGE, MADV_WILLNEED));
    RESULT(munmap(p, 10 * PAGE));
    RESULT(munmap(p, 10 * PAGE));
    RESULT(mprotect(p, PAGE, PROT_READ));
    RESULT(munmap(p + 1, PAGE));
    RESULT(munmap(p, 0));
    RESULT(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    RESULT(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 55, 0));
    RESULT(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
}

static void moves(void) {
    char *p = anonymous(4 * PAGE, PROT_READ | PROT_WRITE, 0);
    for (size_t i = 0; i < 4 * PAGE; i++) p[i] = (char)(i * 7);
    uint64_t before = checksum(p, 4 * PAGE);
    char *q = mremap(p, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && checksum(q, 4 * PAGE) == before && q[63 * PAGE] == 0);
    q[63 * PAGE] = 9;
    char *r = mremap(q, 64 * PAGE, 2 * PAGE, 0);
    CHECK(r == q);
    char *place = anonymous(8 * PAGE, PROT_NONE, 0);
    r = mremap(q, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    CHECK(r == place && r[1] == 7 && r[2 * PAGE] == 0);
    char *wall = anonymous(3 * PAGE, PROT_READ | PROT_WRITE, 0);
    r = mremap(wall, PAGE, 2 * PAGE, 0);  // the next page is taken
    printf("no room %d %s\n", r == MAP_FAILED, strerrorname_np(errno));
    RESULT(msync(wall, PAGE, MS_SYNC));
}

static void files(void) {
    int fd = open("mapped", O_RDWR | O_CREAT, 0600);
    char buffer[20] = {0};
    RESULT(write(fd, "first page", 10));
    RESULT(ftruncate(fd, 3 * PAGE));
    RESULT(pwrite(fd, "second", 6, PAGE));
    char *shared = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
    printf("%.10s %.6s\n", shared, private);
    memcpy(shared, "FIRST", 5);
    memcpy(private, "own", 3);
    RESULT(msync(shared, 3 * PAGE, MS_SYNC));
    RESULT(pread(fd, buffer, 10, 0));
    printf("%s %.6s %.6s\n", buffer, shared + PAGE, private);
    RESULT(pwrite(fd, "file", 4, 2 * PAGE));
    printf("%.4s\n", shared + 2 * PAGE);
    RESULT(munmap(shared, 3 * PAGE));
    RESULT(close(fd));
    fd = open("mapped", O_RDONLY);
    RESULT(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    char *text = mmap(NULL, 100, PROT_READ, MAP_PRIVATE, fd, 0);
    printf("%.10s %d\n", text, text[4095]);
    RESULT(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100));
    close(fd);
    fd = memfd_create("memory", MFD_CLOEXEC);
    RESULT(ftruncate(fd, PAGE));
    char *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *b = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    strcpy(a, "two views");
    printf("%s\n", b);
    RESULT(mincore(a, PAGE, (unsigned char *)buffer));
}

// Big reservations, of which little is touched.
static void reservations(void) {
    char *p = anonymous(256u << 20, PROT_NONE, MAP_NORESERVE);
    CHECK(p != MAP_FAILED);
    RESULT(mprotect(p + (100u << 20), 1 << 20, PROT_READ | PROT_WRITE));
    memset(p + (100u << 20), 3, 1 << 20);
    RESULT(munmap(p, 256u << 20));
    int mapped = 0;
    for (int i = 0; i < 200; i++) {
        char *block = anonymous(PAGE * (size_t)(1 + i % 7), PROT_READ | PROT_WRITE, 0);
        mapped += block != MAP_FAILED && block[PAGE - 1] == 0;
        if (i % 3) munmap(block, PAGE * (size_t)(1 + i % 7));
    }
    printf("mapped %d\n", mapped);
}

int main(void) {
    ranges();
    moves();
    files();
    reservations();
    return 0;
}
