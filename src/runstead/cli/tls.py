"""TLS of the server itself, for clients that send a token over https only."""

import ssl

from runstead.wire.error import RunsteadError

__all__ = ["server_context"]


def server_context(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    """The context of a server with a certificate; None without one.

    The certificate's file may have its key too. `RunsteadError` if a file cannot be read, or the two do not belong
    together.
    """
    if certificate is None:
        if key is not None:
            raise RunsteadError("tls_key is set without tls_cert. A server needs the certificate too.")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, _no_passphrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        files = certificate if key is None else f"{certificate} and {key}"
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise RunsteadError(f"Cannot use the certificate in {files}: {reason}") from error
    return context


def _no_passphrase() -> str:
    """Refuse a key with a passphrase. By default OpenSSL would ask for it on the terminal."""
    raise ValueError("the key has a passphrase, which is not supported")
