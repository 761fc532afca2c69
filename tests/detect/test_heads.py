"""Is a state only ever restored whole, whoever wrote into its table, and whatever of it was left out?"""

from __future__ import annotations

import msgspec
import pytest

from stream.errors import SwerveError
from stream.stages.heads import VERSION, Head, LostStateError, choose, digest, head_key, is_of, piece_key


def written(partition: int, writer: str, upto: int, pieces: dict[str, bytes]) -> dict[bytes, bytes]:
    """The entries that a snapshot leaves in the table."""
    entries = {piece_key(partition, digest(piece)): piece for piece in pieces.values()}
    head = Head(upto=upto, resume={"s": upto}, pieces={name: digest(piece) for name, piece in pieces.items()})
    return entries | {head_key(partition, writer): msgspec.msgpack.encode(head)}


def test_an_empty_table_holds_no_state():
    assert choose(0, {}) is None


def test_what_was_written_is_chosen():
    stored = choose(3, written(3, "w", 7, {"0": b"a", "1": b"b"}))

    assert stored is not None
    assert (stored.head.upto, stored.pieces) == (7, {"0": b"a", "1": b"b"})


def test_pieces_without_a_head_are_no_state():
    entries = written(0, "w", 7, {"0": b"a"})
    del entries[head_key(0, "w")]

    assert choose(0, entries) is None


def test_the_whole_state_that_contains_most_is_chosen():
    entries = written(0, "old", 5, {"0": b"a"}) | written(0, "new", 9, {"0": b"b"})

    stored = choose(0, entries)

    assert stored is not None
    assert stored.head.upto == 9


def test_a_head_whose_pieces_were_left_out_gives_way_to_an_older_one():
    entries = written(0, "old", 5, {"0": b"a"}) | written(0, "new", 9, {"0": b"b"})
    del entries[piece_key(0, digest(b"b"))]

    stored = choose(0, entries)

    assert stored is not None
    assert (stored.head.upto, stored.pieces) == (5, {"0": b"a"})


def test_a_damaged_piece_is_not_used():
    entries = written(0, "old", 5, {"0": b"a"}) | written(0, "new", 9, {"0": b"b"})
    entries[piece_key(0, digest(b"b"))] = b"B"

    stored = choose(0, entries)

    assert stored is not None
    assert stored.head.upto == 5


def test_heads_without_a_whole_state_are_refused():
    entries = written(0, "w", 9, {"0": b"b"})
    del entries[piece_key(0, digest(b"b"))]

    with pytest.raises(LostStateError, match="1 snapshots, none with all its pieces"):
        choose(0, entries)


def test_a_newer_version_of_the_state_is_refused_with_what_to_do():
    newer = Head(v=VERSION + 1, upto=1, resume={}, pieces={})

    with pytest.raises(SwerveError, match="start the newer version"):
        choose(0, {head_key(0, "w"): msgspec.msgpack.encode(newer)})


def test_everything_that_was_there_is_told_for_its_owner_to_remove_once_it_has_stored_its_own():
    entries = written(0, "old", 5, {"0": b"a"}) | written(0, "new", 9, {"0": b"b"})

    stored = choose(0, entries)

    assert stored is not None
    assert stored.pieces == {"0": b"b"}
    assert set(stored.before) == set(entries)


def test_a_piece_belongs_to_its_writer_whatever_it_holds():
    piece = b"the same bytes"
    head = Head(upto=3, resume={}, pieces={"0": digest(piece)}, writer="w-1")
    entries = {head_key(0, "w-1"): msgspec.msgpack.encode(head)}

    with pytest.raises(LostStateError):
        choose(0, entries | {piece_key(0, digest(piece), "w-2"): piece, piece_key(0, digest(piece)): piece})
    found = choose(0, entries | {piece_key(0, digest(piece), "w-1"): piece})

    assert found is not None
    assert found.pieces == {"0": piece}


def test_partition_1_is_not_partition_11():
    assert not is_of(1, head_key(11, "w"))


@pytest.mark.parametrize("name", ["head", "piece"])
@pytest.mark.parametrize("damage", ["cut in half", "a flipped bit"])
def test_of_two_snapshots_the_older_is_taken_where_the_newer_is_damaged(name, damage):
    """What a broker's disk or a broken writer may leave: it is never taken for a state."""
    older = Head(upto=3, resume={}, pieces={"0": digest(b"old state")}, writer="w-1")
    newer = Head(upto=9, resume={}, pieces={"0": digest(b"new state")}, writer="w-2")
    entries = {
        head_key(0, "w-1"): msgspec.msgpack.encode(older),
        head_key(0, "w-2"): msgspec.msgpack.encode(newer),
        piece_key(0, digest(b"old state"), "w-1"): b"old state",
        piece_key(0, digest(b"new state"), "w-2"): b"new state",
    }
    key = head_key(0, "w-2") if name == "head" else piece_key(0, digest(b"new state"), "w-2")
    raw = entries[key]
    damaged = raw[: len(raw) // 2] if damage == "cut in half" else bytes([raw[0] ^ 64]) + raw[1:]

    assert choose(0, entries).head.upto == 9
    assert choose(0, entries | {key: damaged}).head.upto == 3
    with pytest.raises(LostStateError, match="none with all its pieces"):
        choose(0, {key: damaged, head_key(0, "w-2"): damaged if name == "head" else entries[head_key(0, "w-2")]})
