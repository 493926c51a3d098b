# The standard library: json, re, decimal, fractions, hashlib, struct, collections, itertools, zlib, datetime, heapq.
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import heapq
import itertools
import json
import math
import random
import re
import struct
import textwrap
import zlib

data = {"name": "value", "list": [1, 2.5, None, True], "nested": {"text": "gr\u00fcn \"quoted\"", "big": 10**30}}
text = json.dumps(data, indent=1, sort_keys=True)
print(text, json.loads(text) == data)

pattern = re.compile(r"(?P<key>\w+)\s*=\s*(?P<value>[^;]+);?")
print([m.groupdict() for m in pattern.finditer("alpha = 1; beta=two words ;gamma = 3.5")])
print(re.sub(r"(\d+)", lambda m: str(int(m[1]) * 2), "a1b22c333"), re.split(r"[,\s]+", "a, b  c,d"))

decimal.getcontext().prec = 50
print(decimal.Decimal(2).sqrt(), decimal.Decimal(1) / 7, decimal.Decimal("1.1").exp())
print(fractions.Fraction(1, 3) + fractions.Fraction(2, 7), math.factorial(50), math.comb(60, 30), pow(3, 1000, 10**9 + 7))

blob = bytes(i * 37 % 251 for i in range(20000))
for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"):
    print(name, hashlib.new(name, blob).hexdigest())
packed = zlib.compress(blob, 9)
print(len(packed), zlib.crc32(packed), zlib.decompress(packed) == blob)
print(struct.pack("<bhiqfd4s", -1, -2, -3, -4, 1.5, 2.5, b"text").hex(), struct.unpack(">Hd", bytes(range(10))))

counter = collections.Counter(text)
print(counter.most_common(5), collections.deque(range(10), maxlen=3), collections.OrderedDict(b=1, a=2))
print(list(itertools.islice(itertools.permutations("abcd", 3), 5)), list(itertools.accumulate(range(10))))
heap = [i * 7919 % 1009 for i in range(300)]
heapq.heapify(heap)
print([heapq.heappop(heap) for _ in range(10)])


@dataclasses.dataclass(order=True)
class Point:
    x: float
    y: float = 0.0

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)


class Color(enum.Enum):
    RED = 1
    GREEN = 2


@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


print(functools.reduce(lambda a, b: a + b, (Point(i, 1 / (i + 1)) for i in range(20))), Color.GREEN, fibonacci(200))
print(datetime.datetime(2024, 2, 29, 12, 30) + datetime.timedelta(days=366), datetime.date(2000, 1, 1).isocalendar())
generator = random.Random(42)
print(generator.random(), generator.randint(1, 10**12), generator.gauss(0, 1), generator.sample(range(100), 5))
print(f"{math.pi:.15f} {1e100!r} {0.1 + 0.2} {float('nan')} {-0.0} {2**-1074} {1e16:,.2f} {12345.678:e} {255:#x}")
print(textwrap.fill("the quick brown fox jumps over the lazy dog " * 3, 40))


def walk(depth):
    if depth == 0:
        raise ValueError("bottom")
    yield depth
    yield from walk(depth - 1)


try:
    print(list(walk(50)))
except ValueError as error:
    print("caught", error, sum(1 for _ in range(100000)))
primes = [n for n in range(2, 2000) if all(n % d for d in range(2, int(n**0.5) + 1))]
print(len(primes), primes[-1], sorted(primes, key=lambda n: str(n)[::-1])[:10])
