// The C library: sorting, searching, strings, numbers as text, wide characters, time arithmetic, formatted input.

#include "check.h"
#include <ctype.h>
#include <search.h>
#include <strings.h>
#include <time.h>
#include <wchar.h>

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sorting(void) {
    static uint32_t numbers[10000];
    for (int i = 0; i < 10000; i++) numbers[i] = (uint32_t)(next_random() % 50000);
    qsort(numbers, 10000, sizeof *numbers, by_value);
    int found = 0;
    for (uint32_t key = 0; key < 50000; key += 7) found += bsearch(&key, numbers, 10000, sizeof *numbers, by_value) != NULL;
    printf("sorted %lx found %d\n", checksum(numbers, sizeof numbers), found);
    const char *texts[] = {"pear", "apple", "fig", "banana", "apple pie", "", "Zebra", "10", "9"};
    qsort(texts, 9, sizeof *texts, by_text);
    for (int i = 0; i < 9; i++) printf("%s,", texts[i]);
    putchar('\n');
}

static void strings(void) {
    char buffer[300];
    for (size_t align = 0; align < 9; align++)
        for (size_t length = 0; length < 40; length += 13) {
            memset(buffer, '.', sizeof buffer);
            memcpy(buffer + align, "The quick brown fox jumps over the lazy dog", length);
            buffer[align + length] = 0;
            memmove(buffer + align + 3, buffer + align, length + 1);
            printf("%zu %zu %lx %d %d;", strlen(buffer + align), strnlen(buffer + align, 5), checksum(buffer, sizeof buffer),
                   memcmp(buffer, buffer + 1, 50) > 0, strcmp(buffer + align, "The") > 0);
        }
    putchar('\n');
    char text[] = "one,two;;three four";
    char *rest = text;
    for (char *word; (word = strsep(&rest, ",; "));) printf("[%s]", word);
    char again[] = "  alpha beta\tgamma ";
    char *state;
    for (char *word = strtok_r(again, " \t", &state); word; word = strtok_r(NULL, " \t", &state)) printf("<%s>", word);
    printf(" %s %s %zu %zu %d\n", strstr("haystack with needle", "needle"), strrchr("a/b/c", '/'), strspn("aabbc", "ab"),
           strcspn("hello", "l"), strcasecmp("ABC", "abd") < 0);
    const char *big = memset(malloc(5000), 'x', 5000);
    printf("%d %d\n", memchr(big, 'y', 5000) == NULL, memrchr(big, 'x', 5000) == big + 4999);
    free((void *)(uintptr_t)big);
}

static void numbers(void) {
    char *end;
    printf("%ld %ld %lu %ld", strtol("-0x7fX", &end, 0), strtol("9999999999999999999", NULL, 10), strtoul("-1", NULL, 10),
           strtol("zz", NULL, 36));
    printf(" %s %d\n", end, atoi("  42abc"));
    int a, matched;
    double d;
    char word[20], set[20];
    matched = sscanf("17 3.25e2 word [abc]123", "%d %lf %19s [%19[a-c]", &a, &d, word, set);
    printf("%d %d %g %s %s\n", matched, a, d, word, set);
    printf("%08.3f|%-10d|%+d|% d|%#o|%#x|%.0f|%g|%g|%a\n", 3.14159, 42, 42, 42, 8, 255, 2.5, 1e-5, 123456789.0, 0.1);
    printf("%zu %jd %hhd %hd %lld %c %s %.3s %*d\n", sizeof(long), (intmax_t)-1, (signed char)300, (short)70000, (long long)(1ull << 63), 'c', "text",
           "truncated", 6, 12);
    div_t q = div(-17, 5);
    printf("%d %d %ld %lld\n", q.quot, q.rem, labs(-5), llabs(-6));
}

static void calendar(void) {
    setenv("TZ", "UTC", 1);
    tzset();
    for (long seconds = -1000000000; seconds < 5000000000; seconds += 777777777) {
        time_t t = seconds;
        struct tm parts;
        char text[80];
        gmtime_r(&t, &parts);
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %j %U", &parts);
        printf("%s %ld\n", text, (long)timegm(&parts));
    }
}

static void tables(void) {
    hcreate(100);
    static char keys[50][8];
    for (int i = 0; i < 50; i++) {
        snprintf(keys[i], 8, "key%d", i);
        hsearch((ENTRY){.key = keys[i], .data = (void *)(uintptr_t)(i * i)}, ENTER);
    }
    ENTRY *entry = hsearch((ENTRY){.key = "key31"}, FIND);
    printf("%lu %d\n", (unsigned long)(uintptr_t)entry->data, hsearch((ENTRY){.key = "none"}, FIND) == NULL);
    hdestroy();
    wchar_t wide[30];
    printf("%zu %d\n", mbstowcs(wide, "plain text", 30), wcscmp(wide, L"plain text"));
    int letters = 0;
    for (int c = 0; c < 128; c++) letters += isalpha(c) ? 1 : isdigit(c) ? 100 : ispunct(c) ? 10000 : 0;
    printf("%d\n", letters);
}

int main(void) {
    sorting();
    strings();
    numbers();
    calendar();
    tables();
    return 0;
}
