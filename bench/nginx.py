"""Debian's nginx and its Lua module, where they are installed."""

from pathlib import Path

from bench.process import executable, tool

MODULES = Path("/usr/lib/nginx/modules")


def command(config: Path) -> list[str]:
    return [
        tool("nginx"),
        "-p",
        str(config.parent),
        "-e",
        str(config.parent / "error.log"),
        "-c",
        str(config),
    ]


def missing() -> str | None:
    return None if executable("nginx") else "nginx is not installed"


def missing_lua() -> str | None:
    parts = {
        "libnginx-mod-http-lua": MODULES.joinpath("ngx_http_lua_module.so").exists(),
        "lua-cjson": any(Path("/usr/lib").glob("*/lua/5.1/cjson.so")),
    }
    lacking = [package for package, there in parts.items() if not there]
    return missing() or (f"{', '.join(lacking)} not installed" if lacking else None)
