"""multiprocessing and process pools with every start method."""
import concurrent.futures
import multiprocessing as mp
import os
import sys
from multiprocessing import shared_memory


def square(n):
    return n * n


def serve(jobs, results):
    for n in iter(jobs.get, None):
        results.put((n, square(n)))


def add(counter, array, index):
    for _ in range(200):
        with counter.get_lock():
            counter.value += 1
    array[index] = index + 1


def answer(pipe):
    while (word := pipe.recv()) != "end":
        pipe.send(word.upper())
    pipe.close()


def fill(name, index):
    block = shared_memory.SharedMemory(name)
    block.buf[index] = index * 3
    block.close()


def fail():
    sys.exit(5)


def main(method):
    context = mp.get_context(method)
    jobs, results = context.Queue(), context.Queue()
    servers = [context.Process(target=serve, args=(jobs, results)) for _ in range(2)]
    for server in servers:
        server.start()
    for n in range(20):
        jobs.put(n)
    for _ in servers:
        jobs.put(None)
    print(method, "queue", sum(value for _, value in (results.get(timeout=60) for _ in range(20))))
    for server in servers:
        server.join()

    counter, array = context.Value("i", 0), context.Array("i", 3)
    adders = [context.Process(target=add, args=(counter, array, index)) for index in range(3)]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()
    print(method, "shared", counter.value, list(array), [adder.exitcode for adder in adders])

    ours, theirs = context.Pipe()
    process = context.Process(target=answer, args=(theirs,))
    process.start()
    for word in ("a", "bc", "d" * 70000):
        ours.send(word)
        print(method, "pipe", len(ours.recv()))
    ours.send("end")
    process.join()

    block = shared_memory.SharedMemory(create=True, size=64)
    process = context.Process(target=fill, args=(block.name, 9))
    process.start()
    process.join()
    print(method, "memory", block.buf[9])
    block.close()
    block.unlink()

    process = context.Process(target=fail)
    process.start()
    process.join()
    print(method, "exit", process.exitcode)
    process = context.Process(target=__import__("time").sleep, args=(30,))
    process.start()
    process.terminate()
    process.join()
    print(method, "ended by", process.exitcode)
    with context.Pool(3) as pool:
        print(method, "pool", sum(pool.imap_unordered(square, range(50), chunksize=5)))
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        print(method, "executor", list(pool.map(square, range(6))), pool.submit(os.getppid).result() > 0)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        main(name)
    print("children", mp.active_children())
