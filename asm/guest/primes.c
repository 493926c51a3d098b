// Sieve of Eratosthenes over odd numbers: byte stores with a stride, little arithmetic.

#include "sys.h"

#define LIMIT 4000000u

static u8 composite[LIMIT / 2];  // entry i stands for the number 2 i + 1

int main(void) {
    u32 count = 1, last = 2;  // the prime 2 is not in the table
    for (u32 i = 1; i < LIMIT / 2; i++) {
        if (composite[i]) continue;
        u32 prime = 2 * i + 1;
        count++;
        last = prime;
        if (prime > LIMIT / prime) continue;
        for (u32 multiple = prime * prime / 2; multiple < LIMIT / 2; multiple += prime) composite[multiple] = 1;
    }
    put_decimal(count);
    put_text(" primes below ");
    put_decimal(LIMIT);
    put_text(", the last is ");
    put_decimal(last);
    put('\n');
    return 0;
}
