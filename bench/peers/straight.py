"""Nothing in between: the platform itself, started a second time. What a call takes by itself."""

from pathlib import Path

from bench import nginx
from bench.cases import ONE_CALLER, REPLY
from bench.peer import Peer, Place
from bench.process import free_port


def _command(place: Place) -> list[str]:
    certificate = Path(place.upstream.authority).with_name("certificate.pem")
    words = {"reply": REPLY.decode(), "certificate": str(certificate), "tls_port": str(free_port())}
    return nginx.command(place.write("upstream.conf", **words))


PEER = Peer("the platform", "nothing in between", _command, (ONE_CALLER,), nginx.missing)
