"""Generates src/loresmith/llm/pb from proto/ (`make gen`); `--check` fails on a difference."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto" / "loresmith" / "lore" / "v1" / "lore.proto"
TARGET = ROOT / "src" / "loresmith" / "llm" / "pb"

PACKAGE_INIT = '"""Generated from proto/ by scripts/gen_proto.py: do not edit."""\n'
STUB_HEADER = """# Generated from proto/ by scripts/gen_proto.py: do not edit.
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from loresmith.llm.pb import lore_pb2
"""


def main() -> int:
    """Writes the generated files, or compares them with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    arguments = parser.parse_args()
    generated = generate()
    if arguments.check:
        return report(stale_files(generated))
    TARGET.mkdir(exist_ok=True)
    for name, text in generated.items():
        (TARGET / name).write_text(text, encoding="utf-8")
    return 0


def report(stale: list[str]) -> int:
    """Prints what is out of date; returns the exit code."""
    for name in stale:
        print(f"{TARGET.relative_to(ROOT) / name} is not what proto/ says: run `make gen`")
    return 1 if stale else 0


def stale_files(generated: dict[str, str]) -> list[str]:
    """Names of the committed files that differ from `generated`, or are missing or left over."""
    present = {path.name: path.read_text(encoding="utf-8") for path in TARGET.glob("*.py*")}
    names = sorted(generated.keys() | present.keys())
    return [name for name in names if generated.get(name) != present.get(name)]


def generate() -> dict[str, str]:
    """Runs protoc; returns file name → text.

    The files are flat (not loresmith/lore/v1/), because that path is a package of our own.
    """
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        run_protoc(out)
        texts = {path.name: path.read_text(encoding="utf-8") for path in out.glob("*.py*")}
        services = descriptor_pb2.FileDescriptorSet.FromString((out / "descriptors").read_bytes())
    grpc_module = texts["lore_pb2_grpc.py"]
    texts["lore_pb2_grpc.py"] = grpc_module.replace(
        "import lore_pb2 as lore__pb2", "from loresmith.llm.pb import lore_pb2 as lore__pb2"
    )
    texts["lore_pb2_grpc.pyi"] = grpc_stub(services.file[0])
    texts["__init__.py"] = PACKAGE_INIT
    return texts


def run_protoc(out: Path) -> None:
    """Writes messages, their types, the service and its descriptors to `out`."""
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc"),
        f"--proto_path={PROTO.parent}",
        f"--python_out={out}",
        f"--pyi_out={out}",
        f"--grpc_python_out={out}",
        f"--descriptor_set_out={out / 'descriptors'}",
        PROTO.name,
    ]
    subprocess.run(command, check=True)


def grpc_stub(file: descriptor_pb2.FileDescriptorProto) -> str:
    """Types of the generated gRPC module (protoc writes none), for grpc.aio."""
    return STUB_HEADER + "".join(service_stub(service) for service in file.service)


def service_stub(service: descriptor_pb2.ServiceDescriptorProto) -> str:
    """Types of one service: stub, servicer and registration."""
    calls = "".join(stub_call(method) for method in service.method)
    handlers = "".join(servicer_method(method) for method in service.method)
    name = service.name
    return (
        f"\nclass {name}Stub:\n"
        f"    def __init__(self, channel: grpc.aio.Channel) -> None: ...\n{calls}"
        f"\nclass {name}Servicer:\n{handlers}"
        f"\ndef add_{name}Servicer_to_server(\n"
        f"    servicer: {name}Servicer, server: grpc.aio.Server\n) -> None: ...\n"
    )


def stub_call(method: descriptor_pb2.MethodDescriptorProto) -> str:
    """The attribute of a stub that starts `method`."""
    kind = "UnaryStream" if method.server_streaming else "UnaryUnary"
    return (
        f"    {method.name}: grpc.aio.{kind}MultiCallable[\n"
        f"        {message(method.input_type)}, {message(method.output_type)}\n    ]\n"
    )


def servicer_method(method: descriptor_pb2.MethodDescriptorProto) -> str:
    """The method of a servicer that answers `method`."""
    output = message(method.output_type)
    head, result = ("def", f"AsyncIterator[{output}]") if method.server_streaming else ("async def", output)
    return (
        f"    {head} {method.name}(\n"
        f"        self, request: {message(method.input_type)},"
        f" context: grpc.aio.ServicerContext[Any, Any]\n"
        f"    ) -> {result}: ...\n"
    )


def message(qualified: str) -> str:
    """The Python name of a message such as `.loresmith.lore.v1.Usage`."""
    return "lore_pb2." + qualified.rsplit(".", 1)[-1]


if __name__ == "__main__":
    sys.exit(main())
