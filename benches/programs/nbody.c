// Floating point: gravity between a few bodies, with divisions and square roots.
#include "bench.h"
#include <math.h>

#define BODIES 6

static double position[BODIES][3], speed[BODIES][3], mass[BODIES];

int main(int argc, char **argv) {
    uint32_t seed = 21;
    for (int i = 0; i < BODIES; i++) {
        mass[i] = 1.0 + random32(&seed) % 1000 / 100.0;
        for (int d = 0; d < 3; d++) {
            position[i][d] = (double)(random32(&seed) % 20000) / 1000.0 - 10.0;
            speed[i][d] = (double)(random32(&seed) % 2000) / 10000.0 - 0.1;
        }
    }
    for (long step = scaled(argc, argv, 1700000); step > 0; step--) {
        for (int i = 0; i < BODIES; i++)
            for (int j = i + 1; j < BODIES; j++) {
                double x = position[i][0] - position[j][0], y = position[i][1] - position[j][1], z = position[i][2] - position[j][2];
                double square = x * x + y * y + z * z + 0.01;
                double force = 0.0001 / (square * sqrt(square));
                speed[i][0] -= x * mass[j] * force, speed[i][1] -= y * mass[j] * force, speed[i][2] -= z * mass[j] * force;
                speed[j][0] += x * mass[i] * force, speed[j][1] += y * mass[i] * force, speed[j][2] += z * mass[i] * force;
            }
        for (int i = 0; i < BODIES; i++)
            for (int d = 0; d < 3; d++) position[i][d] += 0.01 * speed[i][d];
    }
    uint64_t sum = 0;
    for (int i = 0; i < BODIES; i++)
        for (int d = 0; d < 3; d++) sum = sum * 31 + bits_of(position[i][d]);
    return finish(sum);
}
