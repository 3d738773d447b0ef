"""TLS towards the platform: one SSLContext from the settings `upstream.tls`. It opens no connections."""

import ssl


def build_context(
    *,
    verify: bool = True,
    ca_file: str | None = None,
    client_cert: str | None = None,
    client_key: str | None = None,
) -> ssl.SSLContext:
    """The context for one account's connections.

    `ca_file` replaces the system's authorities. `client_cert` is a PEM chain; its key is in the same file
    unless `client_key` names another. `verify` False accepts any certificate: whoever asks for it must warn
    the operator.
    Raises ValueError that names the file when one of them cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is an OSError too
        raise ValueError(f"ca_file {ca_file}: {error.strerror or error}") from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert is not None:
        _load_client(context, client_cert, client_key)
    # The transport speaks HTTP/1.1 only, so it must not be talked into anything else (RFC 7301).
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load_client(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    """Loads the client's certificate; a passphrase is refused instead of asked for on the terminal."""
    try:
        context.load_cert_chain(cert, key, password=_refuse_passphrase)
    except OSError as error:
        raise ValueError(f"client_cert {cert}: {error.strerror or error}") from error


def _refuse_passphrase() -> str:
    raise ValueError("client_key: a key with a passphrase cannot be used")
