"""Connections that sent one call and wait for what the caller does next. Held by the bench itself, whose CPU
is in nobody's figures.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.cases import Case
from bench.process import BenchError

PATIENCE = 10.0  # seconds for an answer


@contextmanager
def idle_connections(port: int, case: Case) -> Iterator[None]:
    """As many as the case wants, as long as the block runs. Raises BenchError when one is not answered, or
    was closed in the meantime."""
    with ExitStack() as stack:
        waiting = [stack.enter_context(_connected(port)) for _ in range(case.idle)]
        for number, connection in enumerate(waiting):
            _call(connection, case, number)
        yield
        if closed := sum(map(_is_closed, waiting)):
            raise BenchError(f"{closed} of {case.idle} idle connections were closed")


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def _call(connection: socket.socket, case: Case, number: int) -> None:
    body = case.made(number)
    head = f"POST {case.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {case.content_type}\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = b""
    while b"]}" not in answer:  # the end of the reply of every case
        part = connection.recv(65536)
        if not part:
            raise BenchError(f"a call on a connection that is to be idle was answered {answer[:200]!r}")
        answer += part


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
