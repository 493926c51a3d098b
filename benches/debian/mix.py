"""Objects, dictionaries, strings, sorting and floating point; the argument is the number of rounds."""
import json
import re
import sys


class Body:
    def __init__(self, x, v):
        self.x, self.v = x, v

    def step(self, pull, time):
        self.v -= pull * self.x * time
        self.x += self.v * time


def bodies(count, steps):
    system = [Body(float(i + 1), 0.5 * i) for i in range(count)]
    for _ in range(steps):
        for body in system:
            body.step(0.25, 0.01)
    return sum(body.x * body.x + body.v * body.v for body in system)


def sieve(limit):
    flags = bytearray([1]) * (limit + 1)
    for number in range(2, int(limit**0.5) + 1):
        if flags[number]:
            flags[number * number :: number] = bytes(len(range(number * number, limit + 1, number)))
    return sum(flags) - 2


def records(seed):
    rows, state = [], seed
    for i in range(600):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        rows.append({"key": state % 997, "name": f"row {i}", "tags": [state & 7, state >> 3 & 7]})
    rows = json.loads(json.dumps(rows))
    rows.sort(key=lambda row: (row["key"], row["name"]))
    text = ",".join(row["name"] for row in rows)
    return sum(int(digits) for digits in re.findall(r"row (\d+)", text)) + len({row["key"] for row in rows})


total = 0
for round_ in range(1, int(sys.argv[1]) + 1):
    total += int(bodies(20, 150) * 1e6) % 1000 + sieve(20000) + records(round_)
print(total)
