"""asyncio: timers, subprocesses, sockets, streams, signals, threads, cancellation."""
import asyncio
import os
import signal
import socket
import sys


async def programs():
    process = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print("cat", await process.communicate(b"through cat"), process.returncode)
    process = await asyncio.create_subprocess_shell("echo out; exit 4", stdout=asyncio.subprocess.PIPE)
    print("shell", await process.stdout.readline(), await process.wait())
    process = await asyncio.create_subprocess_exec("sleep", "30")
    process.terminate()
    print("ended by", await process.wait())

    async def one(n):
        process = await asyncio.create_subprocess_exec("sh", "-c", f"exit {n}")
        return await process.wait()

    print("many", await asyncio.gather(*(one(n) for n in range(8))))


async def sockets(family):
    async def handle(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    if family == "unix":
        server = await asyncio.start_unix_server(handle, "socket")
        connect = lambda: asyncio.open_unix_connection("socket")
    else:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connect = lambda: asyncio.open_connection("127.0.0.1", port)

    async def client(n):
        reader, writer = await connect()
        total = 0
        for i in range(20):
            writer.write(f"client {n} line {i}\n".encode())
            total += len(await reader.readline())
        writer.write_eof()
        rest = await reader.read()
        writer.close()
        await writer.wait_closed()
        return total, rest

    print(family, await asyncio.gather(*(client(n) for n in range(5))))
    server.close()
    await server.wait_closed()


async def datagrams():
    loop, got = asyncio.get_running_loop(), asyncio.Event()

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            if data == b"ping":
                self.transport.sendto(b"pong", address)
            else:
                print("datagram", data)
                got.set()

    server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    client, _ = await loop.create_datagram_endpoint(Echo, remote_addr=server.get_extra_info("sockname"))
    client.sendto(b"ping")
    await asyncio.wait_for(got.wait(), 30)
    client.close()
    server.close()


async def rest():
    loop = asyncio.get_running_loop()
    caught = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, caught.set)
    loop.call_later(0.05, os.kill, os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(caught.wait(), 30)
    print("signal")
    try:
        await asyncio.wait_for(asyncio.sleep(30), 0.05)
    except TimeoutError:
        print("timeout")
    task = asyncio.create_task(asyncio.sleep(30))
    await asyncio.sleep(0)
    task.cancel()
    print("cancelled", (await asyncio.gather(task, return_exceptions=True))[0].__class__.__name__)
    order = []
    await asyncio.gather(*(asyncio.sleep(n / 20, order.append(n)) for n in (3, 1, 2)))
    print("order", order, await asyncio.to_thread(sum, range(10)))
    left, right = socket.socketpair()
    left.setblocking(False)
    loop.call_later(0.02, right.send, b"ready")
    print("pair", await loop.sock_recv(left, 100))
    left.close()
    right.close()
    print((await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM))[0][4])


async def main():
    await programs()
    await sockets("unix")
    await sockets("tcp")
    await datagrams()
    await rest()


asyncio.run(main())
sys.stdout.flush()
