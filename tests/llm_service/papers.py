"""Certificates of an authority that lives as long as a test, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme


@dataclass
class Papers:
    """An authority and what it signed, as files."""

    folder: Path

    def __post_init__(self) -> None:
        self._authority = trustme.CA()
        self.authority = self.folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.authority))

    def of(self, name: str) -> tuple[Path, Path]:
        """A certificate for `name`, and its key."""
        issued: Any = self._authority.issue_cert(name)
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key
