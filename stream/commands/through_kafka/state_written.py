"""How does a state that no worker wrote get to where workers look for theirs? Its pieces first, then the head."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stream.kafka.broker import Outlet
from stream.stages.heads import Head, digest, head_key, piece_key


async def write_state(topic: Outlet, partition: int, pieces: Mapping[str, bytes], writer: str, upto: int = 0) -> None:
    """Write the state of one partition, from which its next owner begins; acknowledged when this returns.

    upto: next offset of the stage's input. writer: of the head; who begins again writes it anew.
    """
    for piece in pieces.values():
        await topic.send(piece, piece_key(partition, digest(piece)), partition)
    await topic.settle()
    head = Head(upto=upto, resume={}, pieces={name: digest(piece) for name, piece in pieces.items()})
    await topic.send(msgspec.msgpack.encode(head), head_key(partition, writer), partition)
    await topic.settle()
