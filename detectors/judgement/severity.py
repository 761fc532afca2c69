"""Who is to be told of a network that moved: nobody at night, a person in the morning, or one who is woken now?

Its traits say how much it resembles one operator's, each of its accounts how much it resembles a campaign's, and what
those did whom nobody chose says whether it moved at all. A page needs all three, a ticket a little less of each.
"""

from __future__ import annotations

import numpy as np

from detectors.comparison.findings import Level
from detectors.judgement.groups import Group
from detectors.judgement.hand import Verdict

PAGE_Z = 6.0  # standard errors, of those who were found moving
TICKET_Z = 5.0  # the same for a ticket
STANDING_Z = 3.0  # and of the standing network that they are of, in which nobody was chosen
KIN_Z = 5.0  # or of all who share as much with them, where no network stands; more, since they are among these
NAMED_MIN = 5  # accounts, for a page: with fewer names there is nothing to act on
TICKET_NAMED_MIN = 3  # and for a ticket
NAMED_USUAL = 8  # accounts that the line of a page takes for granted
NAMED_NATS = 1.0  # by which it falls for each e-fold of them, and rises
NAMED_NATS_MAX = 0.7  # by which it falls at most: of a large network that looks like an operator's many look it
SWING_H = 12  # hours in which it was worth a ticket: by then it is one, sharp or not, for chance swings are over sooner
SHARPER = 1.2  # times as far must move what names bring over the line: they say who, not that anything happens


def level_of(group: Group, named: int, suspect_h: int = 0) -> Level:
    """The level of a group in this hour.

    named: how many accounts its incident names. suspect_h: in how many hours it was suspect, this one among them.
    """
    if group.verdict is None:
        return Level.NONE
    if convicts(group, named):
        return Level.CRITICAL
    told = is_suspect(group, named) and (suspect_h >= SWING_H or _is_sharp(group, TICKET_Z))
    return Level.WARNING if told else Level.INFO


def is_suspect(group: Group, named: int) -> bool:
    """Whether its traits and names are worth a ticket; one operator's are on any day, and so it is told if it moves."""
    return group.verdict is not None and group.verdict.worth_a_ticket and named >= TICKET_NAMED_MIN


def convicts(group: Group, named: int) -> bool:
    """Whether a group is one operator's for those who are woken: by its traits and by how many it names.

    Where nobody says who belongs to whom, one hand may be one customer's; and a page that names nobody wakes somebody
    who can do nothing.
    """
    verdict = group.verdict
    if verdict is None or not group.coordination.unrelated or named < NAMED_MIN:
        return False
    times = 1.0 if verdict.one_hand else SHARPER
    return verdict.log_odds >= page_line(verdict, named, group.coordination.told) and _is_sharp(group, PAGE_Z, times)


def page_line(verdict: Verdict, named: int, told: bool = True) -> float:
    """The log-odds that a page needs of a network of which so many accounts are named, in nats; at least a ticket's.

    Traits tell a network from others, and each account its own story: of an honest network that looks like an
    operator's, few accounts do. Of a crowd in one place or around one thing all do, and names say nothing; nor do they
    where it is not told which organisation an account is of, since those of one customer are alike.

    >>> few, many = (page_line(Verdict((), 1.0, 1.0, 2.0, 1.1, None), named) for named in (4, 12))
    >>> few > 2.0 > many
    True
    """
    if verdict.crowd or not told:
        return verdict.page
    falls = min(NAMED_NATS * float(np.log(max(named, 1) / NAMED_USUAL)), NAMED_NATS_MAX)
    return round(max(verdict.ticket, verdict.page - falls), 3)


def unchosen(group: Group) -> tuple[float | None, float]:
    """(what those did whom nobody chose by how they moved, the line on it), in standard errors; None: there are none.

    Of the standing network that the group is of, or else of all who share as much with it.
    """
    assert group.verdict is not None
    standing = [vote.value for vote in group.verdict.votes if vote.trait == "standing"]
    return (standing[0], STANDING_Z) if standing else (group.kin, KIN_Z)


def _is_sharp(group: Group, line_z: float, times: float = 1.0) -> bool:
    """Whether one operator's accounts did move: they stand out on any day, and so do some of their chance swings."""
    others, line = unchosen(group)
    moved = float(group.z[group.strong].max()) >= times * line_z
    return moved and (others is None or others >= times * line)
