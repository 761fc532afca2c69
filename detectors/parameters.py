"""Which numbers does detection depend on? One frozen set for every fleet, each with its meaning and unit."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_MS = 3_600_000
FAST_WINDOW_MAX_H = 24  # an account's requests of the window are kept by hour of day
RECORDED_MIN = 0.1  # of the active accounts: an attribute that fewer carry is not recorded by the platform


@dataclass(frozen=True, slots=True)
class Series:
    """A cohort's hourly share of a target, and the detector of river that is put on it.

    target: "model:NAME" or "capability:NAME". settings: of the detector, by name, sorted.
    """

    dimension: str
    value: str
    target: str
    detector: str = "ADWIN"
    settings: tuple[tuple[str, float | int | str], ...] = ()


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything that detection depends on besides the records. Defaults serve every scenario that is shipped.

    Raises ValueError where the fast window is longer than the hours that are kept.
    """

    # Time
    tick_ms: int = 300_000  # cohorts are judged this often
    network_tick_ms: int = HOUR_MS  # networks are judged this often; a multiple of tick_ms that divides a day
    fast_window_h: int = 24  # light accounts need a day before they show a mix; FAST_WINDOW_MAX_H at most
    slow_half_life_h: float = 168.0  # a week: the baseline forgets a habit in a month
    lateness_ms: int = 900_000
    forget_after_h: int = 720  # an account without a request for this long is dropped

    # Bounds, each with its arithmetic in the module that keeps it
    accounts_max: int = 10_000_000
    targets_max: int = 4_096
    cohorts_max: int = 200_000

    # What attributes mean
    link_dimensions: tuple[str, ...] = ("payment", "ip_prefix", "template")
    cohort_dimensions: tuple[str, ...] = ("org", "country", "client", "asn", "signup_week")
    org_dimension: str = "org"
    country_dimension: str = "country"
    signup_dimension: str = "signup_week"
    payment_dimension: str = "payment"  # these three are judged by what they are, whatever they are called
    exit_dimension: str = "ip_prefix"
    prompt_dimension: str = "template"

    # Networks
    requests_min: int = 3  # an account with fewer requests in the fast window has no mix yet
    shrink_requests: float = 6.0  # weight of the prior in an account's baseline
    value_organisations_max: int = 60  # a value that more organisations use is popular, not rare
    popular_share_max: float = 0.1  # of all organisations: what more of them use is company for nobody
    carried_h: int = 72  # how long a carried value counts
    group_organisations_min: int = 5
    split_resolution: float = 0.3
    candidate_organisations_min: int = 8
    warm_up_h: int = 72  # before this much history only a model that is new may fire

    # Judgement
    false_pages_per_month: float = 0.3  # the log-odds of one hand that a page needs follow from it
    false_warnings_per_month: float = 3.0  # and those of a warning from this
    page_z: float = 3.0  # standard errors: a weaker shift is never asked whether one hand is behind it
    ticks_min: int = 2
    watch_rows: int = 100  # rows of the watch list, which never pages
    drift: tuple[Series, ...] = ()  # series that somebody wants to be told about, besides what is judged
    clock_vote: bool = True  # whether round-the-clock work may count as evidence for one operator

    def __post_init__(self) -> None:
        if not 1 <= self.fast_window_h <= FAST_WINDOW_MAX_H:
            raise ValueError(f"fast_window_h: expected 1 to {FAST_WINDOW_MAX_H} hours, got {self.fast_window_h}")

    @property
    def ticks_per_network_tick(self) -> int:
        """How many cohort ticks make a network tick."""
        return self.network_tick_ms // self.tick_ms

    @property
    def link_roles(self) -> tuple[str, ...]:
        """What each link dimension is to the judgement: payment, ip_prefix or template, or what it is called.

        >>> Parameters(link_dimensions=("card", "asn"), payment_dimension="card").link_roles
        ('payment', 'asn')
        """
        role = {self.payment_dimension: "payment", self.exit_dimension: "ip_prefix", self.prompt_dimension: "template"}
        return tuple(role.get(name, name) for name in self.link_dimensions)

    def popular_max(self, organisations: int) -> int:
        """Organisations that may use a value which still says something, in a fleet of so many."""
        return max(self.value_organisations_max, int(self.popular_share_max * organisations))
