"""threading, queue, concurrent.futures: results do not depend on who runs when."""
import concurrent.futures
import queue
import threading
import time
import zlib

count, lock = 0, threading.Lock()


def add(times):
    global count
    for _ in range(times):
        with lock:
            count += 1


workers = [threading.Thread(target=add, args=(2000,)) for _ in range(8)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print("counted", count)

jobs, results = queue.Queue(maxsize=4), queue.Queue()


def serve():
    while (job := jobs.get()) is not None:
        results.put(job * job)


servers = [threading.Thread(target=serve) for _ in range(4)]
for server in servers:
    server.start()
for n in range(300):
    jobs.put(n)
for _ in servers:
    jobs.put(None)
for server in servers:
    server.join()
print("squares", sum(results.get() for _ in range(300)), results.empty())

barrier, order = threading.Barrier(4), []
event, condition = threading.Event(), threading.Condition()


def meet(n):
    barrier.wait()
    event.wait()
    with condition:
        condition.wait_for(lambda: len(order) == n)
        order.append(n)
        condition.notify_all()


for n in reversed(range(4)):
    threading.Thread(target=meet, args=(n,)).start()
event.set()
with condition:
    print("turns", condition.wait_for(lambda: len(order) == 4, timeout=30), order)

local = threading.local()


def own(n):
    local.value = n
    time.sleep(0.02)
    return local.value


with concurrent.futures.ThreadPoolExecutor(6) as pool:
    print("own", list(pool.map(own, range(12))))
    # zlib releases the interpreter's lock.
    blocks = [bytes([n]) * 200_000 for n in range(8)]
    print("crc", [zlib.crc32(zlib.compress(block)) & 0xFFFF for block in pool.map(bytes, blocks)])
    failing = pool.submit(lambda: 1 // 0)
    print("failing", type(failing.exception()).__name__)
    done, pending = concurrent.futures.wait([pool.submit(time.sleep, 0.01) for _ in range(5)])
    print("waited", len(done), len(pending))

gate = threading.Semaphore(0)
timer = threading.Timer(0.05, gate.release)
timer.start()
print("timer", gate.acquire(timeout=30), gate.acquire(timeout=0.05))
lock.acquire()
print("lock", lock.acquire(timeout=0.05), lock.locked())
threading.stack_size(256 * 1024)
deep = threading.Thread(target=lambda: print("deep", sum(map(int, "1" * 300))))
deep.start()
deep.join()
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
print("left", threading.active_count())
