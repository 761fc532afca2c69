"""Was a capability renamed? A new tag that takes over, account by account, what an old one was."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

YOUNG_SHARE_MAX = 0.02  # of the fleet's baseline: the new name hardly existed
RISE_MIN = 0.003  # of the fleet's requests: below it, nothing is decided
TRANSFER_MIN = 0.6  # part of the rise that the same accounts lost elsewhere
FALL_MIN = 0.6  # part of the rise that the fleet's requests lost there


def renames_of(
    targets: tuple[str, ...], counts: Floats, base: Floats, n: Floats, nb: Floats, known: Mapping[str, str]
) -> dict[str, str]:
    """New name -> old name of every capability that is a renamed one, those already known included.

    A rename is seen in the accounts: whoever used the old tag now uses the new one as much. A viral feature adds to
    what accounts do, and a campaign does not stop doing what it did. O(accounts x capabilities).
    """
    found = {new: old for new, old in known.items() if new in targets}
    capability = np.flatnonzero([name.startswith("capability:") for name in targets])
    if not len(capability) or nb.sum() < 100:
        return found
    before = (base[:, capability] / np.maximum(nb, 1.0)[:, None]).clip(0, 1)
    now = counts[:, capability] / np.maximum(n, 1.0)[:, None]
    weight = np.minimum(n, 50.0) * (nb >= 5)
    if weight.sum() <= 0:
        return found
    weight = weight / weight.sum()
    share = base[:, capability].sum(axis=0) / nb.sum()
    rise = weight @ (now - before)
    young = np.flatnonzero((share < YOUNG_SHARE_MAX) & (rise > RISE_MIN))
    for at in young[np.argsort(-rise[young], kind="stable")].tolist():
        name = targets[capability[at]]
        if name in found:
            continue
        # An old name went to one new name, whose counts its own were added to: the one that rose most.
        left = np.array([targets[k] not in found.values() for k in capability.tolist()])
        gained = np.maximum(now[:, at] - before[:, at], 0.0)
        lost = np.maximum(before - now, 0.0)
        moved = weight @ np.minimum(lost, gained[:, None]) / max(float(weight @ gained), 1e-12)
        old = int(np.argmax(np.where((rise < 0) & left, moved, 0.0)))
        if left[old] and moved[old] >= TRANSFER_MIN and -rise[old] >= FALL_MIN * rise[at]:
            found[name] = targets[capability[old]]
    return found


def newest_name(target: str, renamed: Mapping[str, str]) -> str:
    """What a target is called now. renamed: new name -> old name.

    >>> newest_name("capability:a", {"capability:c": "capability:b", "capability:b": "capability:a"})
    'capability:c'
    """
    newer = {old: new for new, old in renamed.items()}
    seen = {target}
    while (name := newer.get(target)) is not None and name not in seen:
        seen.add(name)
        target = name
    return target


def older_names(target: str, renamed: Mapping[str, str]) -> list[str]:
    """What a target was called before, the latest first. renamed: new name -> old name.

    >>> older_names("capability:c", {"capability:c": "capability:b", "capability:b": "capability:a"})
    ['capability:b', 'capability:a']
    """
    names = [target]
    while (older := renamed.get(names[-1])) is not None and older not in names:
        names.append(older)
    return names[1:]
