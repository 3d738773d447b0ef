"""CPU per upstream call: the gateway's own transport beside other clients, on one upstream, in one run.

    python bench/transport.py [--in-flight 32] [--calls 20000] [--rounds 3] [--clients builtin,aiohttp,...]

Every client runs in a process of its own on uvloop, the upstream in another (nginx where it is installed,
else a small server on asyncio and httptools), so the CPU time of the client's process is the client's cost
and nothing else. Rounds take turns between clients; the median of the rounds is shown. What is measured is
one POST of 230 bytes that reads all of a reply of 330 bytes. Numbers of different machines, or of different
runs, say nothing.
"""

import argparse
import asyncio
import multiprocessing
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import httptools
import uvloop

BODY = b'{"token":"' + b"t" * 32 + b'","database_id":7,"data":{"email":"' + b"a" * 150 + b'"}}'
REPLY = b'{"error":0,"result":[' + b",".join(b'{"id":%d}' % n for n in range(1000, 1028)) + b"]}"
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}

Call = Callable[[], Awaitable[None]]
Client = Callable[[str, int, Callable[[Call], Awaitable[float]]], Awaitable[float]]


async def builtin(url: str, in_flight: int, drive: Callable[[Call], Awaitable[float]]) -> float:
    import httpx

    from gateway.upstream.builtin.transport import BuiltinTransport
    from gateway.upstream.options import TransportOptions
    from gateway.upstream.wire import Destination

    transport = BuiltinTransport(TransportOptions(max_connections=in_flight))
    target = httpx.URL(url)
    to = Destination.of(target)
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.netloc.decode()}"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    head = "".join(line + "\r\n" for line in lines).encode()
    loop = asyncio.get_running_loop()

    async def call() -> None:
        reply = await transport.call(to, head, BODY, modifies=True, deadline=loop.time() + 60)
        assert reply.body == REPLY

    used = await drive(call)
    await transport.aclose()
    return used


async def httpx_transport(url: str, in_flight: int, drive: Callable[[Call], Awaitable[float]]) -> float:
    """httpx's transport as the gateway uses it, behind the gateway's safeguards."""
    import httpx

    from gateway.upstream.extensions import BODY as REPLY_BODY
    from gateway.upstream.extensions import Body
    from gateway.upstream.httpx_transport import HttpxTransport
    from gateway.upstream.options import TransportOptions

    transport = HttpxTransport(TransportOptions(max_connections=in_flight))
    target = httpx.URL(url)
    headers = httpx.Headers(HEADERS)

    async def call() -> None:
        request = httpx.Request("POST", target, headers=headers, stream=Body(BODY))
        response = await transport.handle_async_request(request)
        assert response.extensions[REPLY_BODY] == REPLY

    used = await drive(call)
    await transport.aclose()
    return used


async def httpx_client(url: str, in_flight: int, drive: Callable[[Call], Awaitable[float]]) -> float:
    import httpx

    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx.AsyncClient(limits=limits, trust_env=False, headers=HEADERS) as client:

        async def call() -> None:
            assert (await client.post(url, content=BODY)).content == REPLY

        return await drive(call)


async def httpx2_client(url: str, in_flight: int, drive: Callable[[Call], Awaitable[float]]) -> float:
    import httpx2

    limits = httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx2.AsyncClient(limits=limits, trust_env=False, headers=HEADERS) as client:

        async def call() -> None:
            assert (await client.post(url, content=BODY)).content == REPLY

        return await drive(call)


async def aiohttp_client(url: str, in_flight: int, drive: Callable[[Call], Awaitable[float]]) -> float:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:

        async def call() -> None:
            async with session.post(url, data=BODY) as response:
                assert await response.read() == REPLY

        return await drive(call)


async def pyreqwest_client(url: str, in_flight: int, drive: Callable[[Call], Awaitable[float]]) -> float:
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().max_connections(in_flight).build() as client:

        async def call() -> None:
            response = await client.post(url).headers(HEADERS).body_bytes(BODY).build().send()
            assert bytes(await response.bytes()) == REPLY

        return await drive(call)


CLIENTS: dict[str, Client] = {
    "builtin": builtin,
    "pyreqwest": pyreqwest_client,
    "aiohttp": aiohttp_client,
    "httpx2": httpx2_client,
    "httpx": httpx_client,
    "httpx-transport": httpx_transport,
}


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure(client: Client, url: str, in_flight: int, calls: int) -> float:
    """CPU seconds of this process per call, after a warm-up of a tenth of the calls."""

    async def drive(call: Call) -> float:
        await run(call, max(calls // 10, in_flight))
        before = cpu_seconds()
        await run(call, calls)
        return (cpu_seconds() - before) / calls

    async def run(call: Call, count: int) -> None:
        left = iter(range(count))

        async def worker() -> None:
            for _ in left:
                await call()

        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(worker())

    return await client(url, in_flight, drive)


def measure_in_child(name: str, url: str, in_flight: int, calls: int) -> float:
    """A process of its own, so that nothing one client leaves behind costs another."""
    return uvloop.run(measure(CLIENTS[name], url, in_flight, calls))


class Upstream(asyncio.Protocol):
    """The stand-in for nginx: any request is answered by the same reply."""

    ANSWER = (
        b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(self.ANSWER % len(REPLY) + REPLY)


def serve(port: int) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(forever())


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; worker_rlimit_nofile 4096;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 100000000; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{reply}'; }} }}
}}
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def upstream() -> Iterator[tuple[str, str]]:
    """What it is and its URL, as long as the block runs."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        if nginx := shutil.which("nginx"):
            conf = Path(folder, "nginx.conf")
            conf.write_text(NGINX.format(folder=folder, port=port, reply=REPLY.decode()))
            name, command = "nginx", [nginx, "-p", folder, "-c", str(conf)]
        else:
            name, command = "asyncio + httptools", [sys.executable, __file__, "--serve", str(port)]
        process = subprocess.Popen(command)
        try:
            wait_for(port, process)
            yield name, f"http://127.0.0.1:{port}/api/v1.1/databases/get"
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit("the upstream did not start")


def compare(names: list[str], in_flight: int, calls: int, rounds: int) -> dict[str, float]:
    """Median CPU seconds per call, by client."""
    context = multiprocessing.get_context("spawn")
    samples: dict[str, list[float]] = {name: [] for name in names}
    with upstream() as (what, url):
        print(f"upstream: {what}; {in_flight} in flight, {calls} calls, {rounds} rounds")
        for _ in range(rounds):
            for name in names:
                with context.Pool(1) as pool:
                    samples[name].append(pool.apply(measure_in_child, (name, url, in_flight, calls)))
    return {name: statistics.median(values) for name, values in samples.items()}


def show(costs: dict[str, float]) -> None:
    base = costs.get("aiohttp")
    print(f"{'client':<18}{'µs CPU per call':>16}{'x aiohttp':>12}")
    for name, cost in sorted(costs.items(), key=lambda item: item[1]):
        ratio = "" if base is None else f"{cost / base:.2f}"
        print(f"{name:<18}{cost * 1e6:>16.1f}{ratio:>12}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", default=",".join(CLIENTS), help="comma-separated")
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
    else:
        names = arguments.clients.split(",")
        show(compare(names, arguments.in_flight, arguments.calls, arguments.rounds))


if __name__ == "__main__":
    main()
