"""Where the servers are. The secrets of a URL are taken out of it, so that no log and no error can tell them."""

from urllib.parse import unquote, urlsplit

from msgspec import Struct

__all__ = ["Address"]

_SCHEMES = {"nats", "tls"}


class Address(Struct, frozen=True):
    """The servers of one cluster, and who we are to them."""

    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    token: str | None = None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """`nats://[user:password@|token@]host[:port]`, several with commas between; `ValueError` when it is none."""
        servers: list[str] = []
        found: dict[str, str] = {}
        scheme = "nats"
        for part in url.split(","):
            split = urlsplit(part if "://" in part else f"{scheme}://{part}")
            scheme = split.scheme
            if scheme not in _SCHEMES or not split.hostname or split.path not in {"", "/"}:
                raise ValueError("The URL of NATS is of the form nats://host:4222, or tls://host:4222.")
            host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
            servers.append(f"{scheme}://{host}:{split.port or 4222}")
            if split.username and not found:
                user = unquote(split.username)
                found = (
                    {"token": user} if split.password is None else {"user": user, "password": unquote(split.password)}
                )
        return cls(tuple(servers), **found)

    def __repr__(self) -> str:
        return ",".join(self.servers)
