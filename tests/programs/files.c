// Files and directories in the current directory, which is empty at the start.

#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static void show_stat(const char *what, const struct stat *s) {
    printf("%s: mode %o links %lu size %ld blocks>0 %d blksize %ld\n", what, s->st_mode, (unsigned long)s->st_nlink, (long)s->st_size,
           s->st_blocks > 0, (long)s->st_blksize);
}

static void contents(void) {
    char buffer[100] = {0};
    int fd = open("data", O_RDWR | O_CREAT | O_EXCL, 0640);
    printf("fd %d\n", fd);
    RESULT(open("data", O_RDWR | O_CREAT | O_EXCL, 0640));
    RESULT(write(fd, "hello, world", 12));
    RESULT(lseek(fd, 7, SEEK_SET));
    RESULT(read(fd, buffer, 99));
    printf("%s\n", buffer);
    RESULT(pwrite(fd, "HELLO", 5, 0));
    RESULT(pread(fd, buffer, 8, 2));
    printf("%.8s\n", buffer);
    struct iovec out[3] = {{"one", 3}, {"", 0}, {"three", 5}};
    RESULT(lseek(fd, 0, SEEK_END));
    RESULT(writev(fd, out, 3));
    char a[4], b[30];
    struct iovec in[2] = {{a, 4}, {b, 30}};
    RESULT(lseek(fd, -10, SEEK_CUR));
    RESULT(readv(fd, in, 2));
    printf("%.4s %.6s\n", a, b);
    RESULT(preadv(fd, in, 2, 1));
    RESULT(pwritev(fd, out, 3, 100));
    struct stat s;
    RESULT(fstat(fd, &s));
    show_stat("fstat", &s);
    RESULT(ftruncate(fd, 5));
    RESULT(lseek(fd, 0, SEEK_END));
    RESULT(lseek(fd, -1, SEEK_SET));
    RESULT(fallocate(fd, 0, 0, 5000));
    RESULT(stat("data", &s));
    show_stat("stat", &s);
    RESULT(fsync(fd));
    RESULT(fdatasync(fd));
    RESULT(fchmod(fd, 0600));
    RESULT(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND));
    RESULT(fcntl(fd, F_SETFL, O_APPEND));
    RESULT(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND));
    RESULT(fcntl(fd, F_GETFD));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    RESULT(fcntl(fd, F_SETLK, &lock));
    RESULT(fcntl(fd, F_GETLK, &lock));
    RESULT(lock.l_type == F_UNLCK);
    RESULT(close(fd));
    RESULT(close(fd));
    RESULT(read(fd, buffer, 1));
    RESULT(open("data", O_RDONLY | O_DIRECTORY));
    RESULT(open("none", O_RDONLY));
    RESULT(truncate("data", 3));
}

static void names(void) {
    struct stat s;
    char buffer[PATH_MAX];
    RESULT(mkdir("dir", 0755));
    RESULT(mkdir("dir", 0755));
    RESULT(link("data", "dir/linked"));
    RESULT(symlink("../data", "dir/pointer"));
    ssize_t length = RESULT(readlink("dir/pointer", buffer, sizeof buffer));
    printf("%.*s\n", (int)length, buffer);
    RESULT(lstat("dir/pointer", &s));
    printf("symbolic link %d size %ld\n", S_ISLNK(s.st_mode), (long)s.st_size);
    RESULT(stat("dir/pointer", &s));
    show_stat("through the link", &s);
    RESULT(access("data", R_OK | W_OK));
    RESULT(access("data", X_OK));
    RESULT(access("none", F_OK));
    RESULT(faccessat(AT_FDCWD, "dir/pointer", R_OK, AT_EACCESS));
    RESULT(rename("data", "renamed"));
    RESULT(rename("none", "renamed"));
    RESULT(stat("dir/pointer", &s));
    int dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    RESULT(fcntl(dir, F_GETFD));
    RESULT(fstatat(dir, "linked", &s, 0));
    RESULT(renameat(dir, "linked", AT_FDCWD, "again"));
    RESULT(unlinkat(dir, "pointer", 0));
    struct statx x;
    RESULT(statx(dir, "../renamed", 0, STATX_BASIC_STATS, &x));
    printf("statx size %lu mode %o\n", (unsigned long)x.stx_size, x.stx_mode);
    RESULT(utimensat(AT_FDCWD, "renamed", (struct timespec[]){{1000000000, 5}, {1234567890, 123456789}}, 0));
    RESULT(stat("renamed", &s));
    printf("times %ld %ld %ld\n", (long)s.st_atime, (long)s.st_mtime, s.st_mtim.tv_nsec);
    RESULT(chmod("renamed", 0444));
    RESULT(umask(077) == 022 || 1);
    RESULT(close(creat("masked", 0666)));
    RESULT(stat("masked", &s));
    show_stat("masked", &s);
    RESULT(fchdir(dir));
    printf("in dir: %d\n", strcmp(strrchr(getcwd(buffer, sizeof buffer), '/'), "/dir") == 0);
    RESULT(chdir(".."));
    RESULT(chdir("none"));
    RESULT(syscall(17, buffer, 1ul));  // getcwd into too small a buffer
    RESULT(unlink("dir"));
    RESULT(rmdir("dir"));
    RESULT(close(dir));
    RESULT(mkfifo("fifo", 0600));
    RESULT(stat("fifo", &s));
    printf("fifo %d\n", S_ISFIFO(s.st_mode));
    struct statvfs v;
    RESULT(statvfs(".", &v));
    printf("name length %lu\n", v.f_namemax);
    printf("%s\n", realpath("./dir/../again", buffer) == NULL ? "no dir" : "resolved");
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void listing(void) {
    struct dirent **entries;
    RESULT(mkdir("many", 0700));
    for (int i = 0; i < 300; i++) {
        char name[40];
        snprintf(name, sizeof name, "many/file-%03d-with-a-longer-name", i);
        close(creat(name, 0600));
    }
    int count = scandir("many", &entries, NULL, by_name);
    printf("%d entries, last %s type %d\n", count, entries[count - 1]->d_name, entries[count - 1]->d_type);
    DIR *dir = opendir("many");
    int seen = 0;
    while (readdir(dir)) seen++;
    rewinddir(dir);
    while (readdir(dir)) seen++;
    closedir(dir);
    printf("seen %d\n", seen);
    for (int i = 0; i < 300; i++) {
        char name[40];
        snprintf(name, sizeof name, "many/file-%03d-with-a-longer-name", i);
        if (unlink(name)) printf("unlink %s\n", name);
    }
    RESULT(rmdir("many"));
    count = scandir(".", &entries, NULL, by_name);
    for (int i = 0; i < count; i++) printf("%s ", entries[i]->d_name);
    putchar('\n');
}

static void buffered(void) {
    FILE *file = fopen("lines", "w+");
    for (int i = 0; i < 3000; i++) fprintf(file, "line %d\n", i);
    rewind(file);
    char *line = NULL;
    size_t capacity = 0, total = 0;
    int count = 0;
    while (getline(&line, &capacity, file) > 0) total += strlen(line), count++;
    printf("%d lines, %zu bytes, at %ld\n", count, total, ftell(file));
    fseek(file, 100, SEEK_SET);
    printf("%s", fgets(line, (int)capacity, file));
    RESULT(fclose(file));
    file = fopen("/proc/self/exe", "r");
    char magic[4];
    printf("%zu %d\n", fread(magic, 1, 4, file), memcmp(magic, "\177ELF", 4));
    fclose(file);
    file = tmpfile();
    fputs("temporary", file);
    printf("%ld\n", ftell(file));
    fclose(file);
    printf("/dev/null %d /dev/zero %ld\n", creat("/dev/null", 0) >= 0, (long)pread(open("/dev/zero", O_RDONLY), magic, 4, 0));
}

int main(void) {
    umask(022);
    contents();
    names();
    listing();
    buffered();
    return 0;
}
