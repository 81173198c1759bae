"""The servers and credentials of a NATS URL. They are separate, so that no log line and no error shows a secret."""

from urllib.parse import unquote, urlsplit

from msgspec import Struct

__all__ = ["Address"]

_SCHEMES = {"nats", "tls"}
_FORM = "The URL of NATS is of the form nats://host:4222, or tls://host:4222."


class Address(Struct, frozen=True):
    """The servers of one cluster, and the credentials for them."""

    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    token: str | None = None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """`nats://[user:password@|token@]host[:port]`, several separated by commas; `ValueError` if it is not one."""
        servers: list[str] = []
        found: dict[str, str] = {}
        scheme = "nats"
        for part in url.split(","):
            try:
                split = urlsplit(part if "://" in part else f"{scheme}://{part}")
                scheme, host, port = split.scheme, split.hostname or "", split.port or 4222
            except ValueError:
                raise ValueError(_FORM) from None  # the original error may contain a password
            if scheme not in _SCHEMES or not host or split.path not in {"", "/"}:
                raise ValueError(_FORM)
            servers.append(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
            if split.username and not found:
                user, password = unquote(split.username), split.password
                found = {"token": user} if password is None else {"user": user, "password": unquote(password)}
        return cls(tuple(servers), **found)

    @property
    def encrypted(self) -> bool:
        """Whether only servers that encrypt are acceptable."""
        return any(server.startswith("tls:") for server in self.servers)

    def __repr__(self) -> str:
        return ",".join(self.servers)
