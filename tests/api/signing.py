"""An identity provider: keys, their public halves over HTTP, and tokens of every kind of wrong."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

SECRET = "a secret of more than sixty-four characters, which every HMAC of RFC 7518 takes"
ISSUER, AUDIENCE = "https://login.example", "loresmith"
SETTINGS: Mapping[str, Any] = {"auth": "jwt", "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


def claims(**changes: Any) -> dict[str, Any]:
    """Return good claims with changes; None takes one out."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "exp": int(time.time()) + 600}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def token(key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None, **changes: Any) -> str:
    """Return a signed token."""
    return jwt.encode(claims(**changes), key, algorithm, headers={"kid": kid} if kid else None)


@dataclass
class Provider:
    """Keys by id, and how often their public halves were fetched."""

    url: str = ""
    keys: dict[str, Any] = field(default_factory=dict[str, Any])
    more: list[Any] = field(default_factory=list[Any])
    fetched: int = 0
    broken: bool = False

    def add(self, kid: str, algorithm: str) -> Any:
        """Make a key."""
        makers: dict[str, Any] = {
            "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        key = self.keys[kid] = makers[algorithm]()
        return key

    def answer(self) -> bytes:
        """Return the key set as HTTP sends it."""
        self.fetched += 1
        if self.broken:
            return b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        listed = [{**_public(key), "kid": kid} for kid, key in self.keys.items()]
        body = json.dumps({"keys": [*self.more, *listed]}).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body)


def _public(key: Any) -> dict[str, Any]:
    kinds: Any = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm}
    kind = next((one for base, one in kinds.items() if isinstance(key, base)), OKPAlgorithm)
    return kind.to_jwk(key.public_key(), as_dict=True)


@asynccontextmanager
async def provider() -> AsyncGenerator[Provider]:
    """A provider that answers on loopback."""
    one = Provider()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(one.answer())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
    async with server:
        yield one
