"""Which changes need a restart."""

import pytest

from gateway.settings.reloading import unreloadable
from tests.settings.conftest import Configure

OLD = "log: {level: info}"


@pytest.mark.parametrize(
    ("new", "problems"),
    [
        pytest.param(
            "log: {level: debug}\nupstream: {max_connections: 5}\nmethods: {profiles/get: {ttl: 1s}}",
            [],
            id="free",
        ),
        pytest.param("listen: {port: 8080}", [], id="written but the same"),
        pytest.param(
            "\nlisten: {port: 9090}",
            ["config.yaml:2 listen: cannot change while the gateway runs"],
            id="listen",
        ),
        pytest.param(
            "listen: {uds: /s}", ["config.yaml:1 listen: cannot change while the gateway runs"], id="socket"
        ),
        pytest.param(
            "redis:\n  url: redis://:s3cr3t@h\ndedup: {journal: /j}\nlimits: {connections: 1}",
            [
                "config.yaml:4 limits.connections: cannot change while the gateway runs",
                "config.yaml:2 redis.url: cannot change while the gateway runs",
                "config.yaml:3 dedup.journal: cannot change while the gateway runs",
            ],
            id="all at once",
        ),
    ],
)
def test_a_change_that_needs_a_restart_is_a_problem(
    new: str, problems: list[str], configure: Configure
) -> None:
    old = configure(OLD).settings
    found = [str(problem) for problem in unreloadable(old, configure(new))]
    assert [line.partition(" (")[0] for line in found] == problems
    assert "s3cr3t" not in "".join(found)


def test_a_rate_cannot_begin_to_be_shared_through_a_redis_that_nothing_is_connected_to(
    configure: Configure,
) -> None:
    redis = "redis: {url: 'redis://h'}\n"
    paced = configure(redis + "upstream: {rate: 50/s}")
    [problem] = unreloadable(configure(redis).settings, paced)
    assert str(problem).startswith("config.yaml:2 upstream.rate: cannot begin while the gateway runs")

    stored = redis + "cache: {store: redis}\n"
    assert not unreloadable(configure(stored).settings, configure(stored + "upstream: {rate: 50/s}"))
    assert not unreloadable(configure(OLD).settings, configure("upstream: {rate: 50/s}"))
    assert not unreloadable(paced.settings, configure(redis + "upstream: {rate: 10/s}"))
