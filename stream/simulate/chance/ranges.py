"""From where to where may a fleet that nobody tuned for differ? Each range, and why it is as wide as it is.

The one place for what a random world draws. A span is even in the logarithm where a factor is what matters; `thin` is
the part of it in which a world lies whose accounts are light and share little (see `World.regime`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A number from low to high, both within reach. log: even in the logarithm. whole: no fraction."""

    low: float
    high: float
    why: str
    log: bool = False
    whole: bool = False
    thin: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Odds:
    """One of these, by weight."""

    of: dict[str, float]
    why: str


@dataclass(frozen=True, slots=True)
class Deck:
    """One of these, dealt: of as many seeds in a row as there are cards, each gets what is on its card.

    So a few dozen worlds hold every kind, and not by luck.
    """

    cards: dict[str, int]
    why: str


def _span(low: float, high: float, why: str, **more: Any) -> Any:
    return field(metadata={"range": Span(low, high, why, **more)})


def _count(low: int, high: int, why: str, **more: Any) -> Any:
    return _span(low, high, why, whole=True, **more)


def _odds(why: str, **of: float) -> Any:
    return field(metadata={"range": Odds(of, why)})


def _deck(why: str, **cards: int) -> Any:
    return field(metadata={"range": Deck(cards, why)})


@dataclass(frozen=True, slots=True)
class FleetDraw:
    """How large the platform is, and how its customers are made up."""

    accounts: int = _count(3_000, 20_000, "a young platform, up to what replays in minutes", log=True,
                           thin=(8_000, 20_000))  # fmt: skip
    days: float = _count(7, 10, "a week of history and at least two days of campaign")
    records: int = _count(215_000, 560_000, "dozens of fleets are replayed on two cores", log=True)
    median_requests: float = _span(4.0, 90.0, "of an honest account in the log: fleets of curious people, or of "
                                   "products", log=True, thin=(5.0, 9.0))  # fmt: skip
    services: float = _span(0.01, 0.08, "part of the accounts that are programs round the clock")
    teams: float = _span(0.25, 0.50, "part of the accounts that have colleagues")
    giant: float = _span(1 / 40, 1 / 9, "the largest customer's part of the accounts")
    sign_ups: float = _span(0.003, 0.02, "part of the accounts that sign up in a day", log=True)
    changers: float = _span(0.0, 0.07, "part of the accounts that overnight do something else, each for itself")


@dataclass(frozen=True, slots=True)
class HonestDraw:
    """What unrelated honest accounts have in common."""

    collections: float = _span(2.0, 25.0, "public prompt collections for each thousand accounts", log=True,
                               thin=(12.0, 25.0))  # fmt: skip
    collection: int = _count(10, 150, "accounts that use the largest prompts of a collection", log=True)
    collectors: float = _span(0.1, 0.6, "part of the accounts that use any collection", thin=(0.35, 0.6))
    defaults: int = _count(8, 60, "prompts that frameworks send unasked, with hundreds to thousands of accounts")
    framed: float = _span(0.15, 0.75, "part of the accounts behind a framework's default", thin=(0.4, 0.75))
    cards_shared: float = _span(0.01, 0.15, "part of the cards that serve a household, a wallet, a holding")
    unpaid: float = _span(0.0, 0.35, "part of the organisations that are on a free tier, without a payment")
    vpn_users: float = _span(0.03, 0.20, "part of the people who send through a tunnel")
    vpn_exit: int = _count(20, 300, "accounts for each exit of a tunnel, as providers have few or many", log=True)
    cloud_exit: int = _count(4, 120, "services for each egress of a cloud", log=True)
    line: float = _span(1.3, 6.0, "accounts for each fixed line: a household up to a block of flats", log=True)
    offices: float = _span(0.4, 0.95, "part of the members of an organisation who sit in its office")


@dataclass(frozen=True, slots=True)
class RecordsDraw:
    """What this platform writes down."""

    templates: str = _deck("many platforms hash no prompts", recorded=7, absent=2)
    missing: str = _odds("one more dimension that a platform may not have", none=0.52, payment=0.07, client=0.08,
                         ip_prefix=0.07, asn=0.09, org=0.09, country=0.04, signup_week=0.04)  # fmt: skip
    template_gap: float = _span(0.0, 0.30, "part of the requests whose prompt is one of a kind or not hashed")
    payment_gap: float = _span(0.0, 0.12, "part of the requests on credit, whose payment is not known")
    network_gap: float = _span(0.0, 0.06, "part of the requests that come over a partner's own network")
    client_gap: float = _span(0.0, 0.15, "part of the requests without a user agent that can be read")


@dataclass(frozen=True, slots=True)
class AdoptionDraw:
    """How the honest fleet takes up a release."""

    never: float = _span(0.15, 0.70, "part that stays where it is")
    alias: float = _span(0.03, 0.30, "part that has whatever `latest` points to")
    slow: float = _span(0.05, 0.35, "part that moves over days")
    tries: float = _span(0.03, 0.20, "part that tries, and goes back")
    pace: float = _span(0.5, 2.5, "times the usual speed: a small step, or the release of the year", log=True)


@dataclass(frozen=True, slots=True)
class LifeDraw:
    """The honest networks and shocks of these days."""

    networks: int = _count(0, 6, "honest networks that look like campaigns; a quiet log has up to twice as many")
    network_size: float = _span(0.3, 1.3, "times the members that such a network has in a fleet of 9,000", log=True)
    network_pace: float = _span(0.3, 2.0, "times the days over which its members move", log=True)
    shocks: float = _span(0.0, 1.6, "expected number of each kind of shock")
    proxied: float = _span(0.0, 0.8, "chance that an agency's staff works through rotating exits")
    nightly: float = _span(0.0, 0.8, "chance that a product is an automation: even volumes, round the clock")
    eager: float = _span(0.0, 0.8, "chance that a tunnel's customers share prompts and like to be first")
    holdings: float = _span(0.2, 1.5, "owners of several firms, for each thousand accounts", log=True)
    holdings_move: float = _span(0.0, 0.4, "part of them that decides something for all of its firms in these days")
    products: float = _span(0.0, 0.06, "part of the larger organisations that launch something in these days")
    balanced: int = _count(0, 6, "companies that spread their load evenly over their own keys")
    outage_minutes: int = _count(5, 180, "how long nothing is served", log=True)


@dataclass(frozen=True, slots=True)
class OperatorDraw:
    """Who runs the campaign, with what, and how carefully."""

    kind: str = _deck("what has been reported, in about equal parts", pivot=3, surge=2, slow_and_low=2, hydra=2,
                      low_prevalence=1, stolen_keys=2)  # fmt: skip
    accounts: int = _count(60, 800, "a careful hand, or one on the scale of the reports", log=True)
    per_day: float = _span(2.0, 40.0, "requests of its account in a day: now and then, or a worker's day; down to 1 "
                           "where that many would be too much of the fleet", log=True)  # fmt: skip
    prevalence: float = _span(0.012, 0.08, "at most this part of the fleet's requests; what is over comes off the rest",
                              log=True)  # fmt: skip
    load_spread: float = _span(0.30, 1.10, "of the logarithm of an account's volume: balanced, or quotas of all sizes")
    org_most: int = _count(1, 7, "accounts of its largest organisations: it signs up teams")
    paid: float = _span(0.0, 1.0, "part of its organisations that pay by a method from its pool", thin=(0.25, 0.6))
    unpaid: float = _span(0.0, 0.30, "part of the others that have no payment at all")
    card: float = _span(2.0, 30.0, "its accounts on each payment", log=True, thin=(2.5, 6.0))
    exits_cover: float = _span(0.30, 1.0, "part of its accounts that go out through its exits", thin=(0.35, 0.7))
    exits: int = _count(1, 9, "exits that an account uses at a time", log=True, thin=(1, 3))
    exit: float = _span(2.0, 30.0, "its accounts on each exit", log=True, thin=(1.5, 2.5))
    prompts_cover: float = _span(0.60, 1.0, "part of its accounts that use its prompts")
    prompts: int = _count(1, 8, "prompts of its own that an account uses", thin=(2, 6))
    prompt: float = _span(2.0, 30.0, "its accounts on each prompt", log=True, thin=(5.0, 25.0))
    popular: float = _span(0.0, 0.40, "part of its prompts that are public collections' and frameworks'")
    honest_cards: float = _span(0.05, 4.0, "honest accounts on each of its payments: resold wallets", log=True)
    honest_exits: float = _span(0.3, 60.0, "honest customers of each of its exits", log=True, thin=(0.5, 4.0))
    honest_prompts: float = _span(0.3, 400.0, "honest accounts on each of its prompts: they got out, or came in",
                                  log=True, thin=(4.0, 60.0))  # fmt: skip
    private: float = _span(0.0, 0.50, "part of its own work on values of the account's own")
    exit_rotation: str = _odds("how long an account keeps its exits", never=0.5, days=0.2, day=0.15, hours=0.15)
    prompt_rotation: str = _odds("how long it keeps its prompts", never=0.6, days=0.25, day=0.15)
    resold: float = _span(0.0, 0.60, "part of its traffic that is its customers' own")
    moved: float = _span(0.20, 0.75, "part of its traffic that moves")
    ramp_h: float = _span(1.0, 24.0, "from the first account's move to the last one's full depth", log=True)
    steady: float = _span(3.0, 25.0, "how alike its accounts move, as the weight of a Beta draw", log=True)
    lead_h: float = _span(0.2, 10.0, "from a release to the first move", log=True)
    swell: float = _span(1.0, 1.6, "how much more it sends when it has moved")
    begins: str = _odds("its accounts had its work before, or only resold traffic", before=0.65, onset=0.35)
    hours: float = _span(0.0, 1.0, "how far it keeps office hours: programs do not, people who press buttons do")
    zone_h: int = _count(-11, 12, "whose office hours")
    weekend: float = _span(0.3, 1.0, "what it sends on a weekend day")
    wave: float = _span(0.02, 0.60, "depth of the waves in which its machines work; one scheduler, or none", log=True)
    pauses: str = _odds("times at which all of it stands still", none=0.6, short=0.25, long=0.15)
    alike: float = _span(2.0, 12.0, "how alike its accounts' work is, as the weight of a Dirichlet draw", log=True)
    age_days: float = _span(8.0, 200.0, "mean age of its accounts: fresh, farmed, or bought", log=True)
    alive_days: float = _span(0.8, 4.0, "how long a throw-away account lives", log=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """What makes a kind of campaign that kind. accounts_part: of the fleet's accounts; prevalence: of its requests."""

    per_day: tuple[float, float] = (1.0, 40.0)
    accounts_part: float = 0.08
    prevalence: tuple[float, float] = (0.0, 1.0)


ANY = Limits()
LIMITS = {
    "slow_and_low": Limits(per_day=(2.0, 8.0), prevalence=(0.0, 0.012)),
    "low_prevalence": Limits(per_day=(2.0, 40.0), prevalence=(0.004, 0.010)),
    "hydra": Limits(per_day=(10.0, 40.0), accounts_part=0.04),  # at a time; each is used up before it is banned
    "stolen_keys": Limits(per_day=(1.0, 25.0)),  # what a customer does not notice on the bill
}
ACCOUNTS_MIN = 60

GROUPS: dict[str, type] = {
    "fleet": FleetDraw, "honest": HonestDraw, "records": RecordsDraw, "adoption": AdoptionDraw, "life": LifeDraw,
    "operator": OperatorDraw,
}  # fmt: skip
REGIMES = Deck({"thin": 3, "wide": 2}, "light accounts that share little are the rule on public platforms")
