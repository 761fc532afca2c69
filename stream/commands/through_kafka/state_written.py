"""How does a state that no worker wrote get to where workers look for theirs? Its pieces first, then the head."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stream.kafka.broker import Outlet
from stream.stages.heads import Head, digest, head_key, piece_key


async def write_state(
    topic: Outlet,
    partition: int,
    pieces: Mapping[str, bytes],
    writer: str,
    upto: int = 0,
    resume: Mapping[str, int] | None = None,
) -> set[bytes]:
    """Write the state of one partition, from which its next owner begins; acknowledged when this returns; its keys.

    upto: next offset of the stage's input; resume: where its sources stand, as in `Head`. writer: of the head; who
    begins again writes it anew.
    """
    keys = {piece_key(partition, digest(piece)): piece for piece in pieces.values()}
    for key, piece in keys.items():
        await topic.send(piece, key, partition)
    await topic.settle()
    digests = {name: digest(piece) for name, piece in pieces.items()}
    head = Head(upto=upto, resume=dict(resume or {}), pieces=digests)
    await topic.send(msgspec.msgpack.encode(head), head_key(partition, writer), partition)
    await topic.settle()
    return {*keys, head_key(partition, writer)}
