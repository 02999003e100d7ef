"""The calls of ``messages.proto`` with our own hands on the pieces; all else is what gRPC generated."""

import grpc

from src.exchange import messages_pb2, messages_pb2_grpc
from src.exchange.piece import read_piece, write_piece

_SERVICE = messages_pb2.DESCRIPTOR.services_by_name["Exchange"].full_name


def stub_of(channel: grpc.Channel) -> messages_pb2_grpc.ExchangeStub:
    """The caller's side; ``Pull`` gives each piece as a memoryview of its bytes."""
    stub = messages_pb2_grpc.ExchangeStub(channel)
    stub.Pull = channel.unary_stream(
        f"/{_SERVICE}/Pull", request_serializer=messages_pb2.PullRequest.SerializeToString, response_deserializer=read_piece
    )
    return stub


def add_to_server(servicer: messages_pb2_grpc.ExchangeServicer, server: grpc.Server) -> None:
    """Lets a server answer by a servicer whose ``Pull`` yields each piece as bytes."""
    describe = grpc.unary_unary_rpc_method_handler(
        servicer.Describe,
        request_deserializer=messages_pb2.DescribeRequest.FromString,
        response_serializer=messages_pb2.Description.SerializeToString,
    )
    pull = grpc.unary_stream_rpc_method_handler(
        servicer.Pull, request_deserializer=messages_pb2.PullRequest.FromString, response_serializer=write_piece
    )
    push = grpc.stream_stream_rpc_method_handler(
        servicer.Push,
        request_deserializer=messages_pb2.PushPart.FromString,
        response_serializer=messages_pb2.PushAnswer.SerializeToString,
    )
    handlers = {"Describe": describe, "Pull": pull, "Push": push}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
