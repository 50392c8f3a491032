"""One virtual environment for each system, made once from the locks beside this file."""

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE / ".cache"


def python_of(name: str | None) -> Path:
    """Return the interpreter of a system's environment, which is made when it is missing; None is our own."""
    if name is None:
        return Path(sys.executable)
    lock = HERE / "requirements" / f"{name}.txt"
    folder, digest = CACHE / name, hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = folder / ".lock"
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
        print(f"making an environment for {name}", file=sys.stderr)
        CACHE.mkdir(exist_ok=True)
        (CACHE / ".gitignore").write_text("*\n", encoding="utf-8")
        uv = [str(Path(sys.executable).with_name("uv"))]
        _call([*uv, "venv", "-q", "--clear", "-p", sys.executable, str(folder)])
        _call([*uv, "pip", "install", "-q", "-p", str(python), "-r", str(lock)])
        stamp.write_text(digest, encoding="utf-8")
    return python


def versions(python: Path, *packages: str) -> dict[str, str]:
    """Return the versions of packages in an environment."""
    ask = f"from importlib.metadata import version; print(*[version(p) for p in {packages!r}])"
    answer = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True)
    return dict(zip(packages, answer.stdout.split(), strict=True))


def _call(command: list[str]) -> None:
    subprocess.run(command, check=True)
