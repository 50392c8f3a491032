"""The files of a TLS connection between a lore service and its clients."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one side: its own certificate with its key, and the authority that the other side's must be of.

    A server needs a certificate, and asks clients for theirs if it has an authority. A client needs an authority, and
    shows a certificate if it has one.
    """

    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None

    def for_server(self) -> grpc.ServerCredentials:
        """What a server's port is opened with. Raises ValueError that names a file that cannot be read."""
        pair = (_read(self.key) or b"", _read(self.certificate) or b"")
        return grpc.ssl_server_credentials(
            [pair], root_certificates=_read(self.authority), require_client_auth=self.authority is not None
        )

    def for_client(self) -> grpc.ChannelCredentials:
        """What a client connects with. Raises ValueError that names a file that cannot be read."""
        return grpc.ssl_channel_credentials(
            root_certificates=_read(self.authority),
            private_key=_read(self.key),
            certificate_chain=_read(self.certificate),
        )


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {str(path)!r}: {error.strerror}") from None
    if b"-----BEGIN " not in text:
        raise ValueError(f"{str(path)!r} is no PEM file: expected a certificate or a key")
    return text
