"""What does the sender of a batch hear? Success, with what of it was refused, or a failure, in its own encoding."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

PROTO, JSON = "application/x-protobuf", "application/json"
SIGNALS = ("traces", "logs")
RETRY_S = 2


def taken(encoding: str, signal: str, refused: int = 0, why: str = "") -> web.Response:
    """200: everything is kept but what is counted as refused, of which nothing should be sent again."""
    from google.protobuf.json_format import MessageToJson

    response, partial, rejected = _messages(signal)
    if refused:
        response.partial_success.CopyFrom(partial(**{rejected: refused, "error_message": why}))
    if encoding == JSON:
        return web.Response(text=MessageToJson(response, indent=None), content_type=JSON)
    return web.Response(body=response.SerializeToString(), content_type=PROTO)


def failed(encoding: str, status: int, why: str, *, again: bool = False) -> web.Response:
    """Nothing of it is kept, and why. again: it may be sent once more, after a while."""
    answer = web.Response(status=status, body=_status(encoding, why), content_type=encoding)
    if again:
        answer.headers["Retry-After"] = str(RETRY_S)
    return answer


def _messages(signal: str) -> tuple[Any, Any, str]:
    if signal == "logs":
        from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs

        return logs.ExportLogsServiceResponse(), logs.ExportLogsPartialSuccess, "rejected_log_records"
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

    return traces.ExportTraceServiceResponse(), traces.ExportTracePartialSuccess, "rejected_spans"


def _status(encoding: str, why: str) -> bytes:
    """google.rpc.Status with a message alone."""
    if encoding == JSON:
        return orjson.dumps({"message": why})
    # On the wire the message of a Status is the second field, a text, as that of a partial success is.
    message: bytes = _messages("traces")[1](error_message=why).SerializeToString()
    return message
