# Generated from proto/ by scripts/gen_proto.py: do not edit.
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from loresmith.llm.pb import lore_pb2

class LoreServiceStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    Generate: grpc.aio.UnaryStreamMultiCallable[
        lore_pb2.GenerateRequest, lore_pb2.GenerationEvent
    ]
    Describe: grpc.aio.UnaryUnaryMultiCallable[
        lore_pb2.DescribeRequest, lore_pb2.DescribeResponse
    ]

class LoreServiceServicer:
    def Generate(
        self, request: lore_pb2.GenerateRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[lore_pb2.GenerationEvent]: ...
    async def Describe(
        self, request: lore_pb2.DescribeRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> lore_pb2.DescribeResponse: ...

def add_LoreServiceServicer_to_server(
    servicer: LoreServiceServicer, server: grpc.aio.Server
) -> None: ...
