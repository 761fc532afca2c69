"""What does a person read? The pages, rendered here, whole without JavaScript."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from markupsafe import Markup

from stream import spoken
from stream.alerts.evidence import number
from stream.alerts.expected_shifts import CARRIED_MIN
from stream.alerts.explain import ONE_OPERATOR, TESTED, explain
from stream.alerts.figures import judged_of
from stream.console import actions
from stream.console.desk import Desk
from stream.console.door import WHO
from stream.console.routes.judging import judging, unseen
from stream.console.shown import adoption, listing, look, runbook, tracks
from stream.console.shown.carried import near_of
from stream.console.shown.charts import Chart, by_name, chart_of
from stream.console.shown.past import Happened, history
from stream.console.shown.view import DAY_MS, Known
from stream.console.who import NOBODY, known_name
from stream.contract.verdict import NOTE_MAX
from stream.oncall.silence.in_force import announced, in_words
from stream.report.charts import STYLES, Mark
from stream.report.network import Network
from stream.report.page import Case, cases_of, fingerprint

ALERTS_SHOWN, WATCHED_SHOWN = 25, 8  # on the overview; the others are one link away
MEMBERS_SHOWN = 20  # at once, unless more are asked for
VOTES_SHOWN = 9  # what it comes to, and the eight strongest traits; the others unfold
COURSE_H, COURSE_DAYS = 3, 2
SHARED_SHOWN = 20
SPARKS_MAX = 50
PAST_SHOWN = 8
SECTIONS = ("Numbers", TESTED, "Toward what")  # of the explanation; the others have places of their own
Context = dict[str, Any]


def attach(desk: Desk, router: web.UrlDispatcher) -> None:
    """Add the pages."""

    def page(path: str, template: str, context: Callable[[Desk, web.Request], Context]) -> None:
        async def handler(request: web.Request) -> web.Response:
            return shown(desk, request, template, context(desk, request))

        router.add_get(path, handler)

    page("/", "overview.html.j2", _overview)
    page("/alerts", "alerts.html.j2", _alerts)
    page("/alerts/{alert_id}", "alert.html.j2", _alert)
    page("/account", "account.html.j2", _account)
    page("/cohort", "cohort.html.j2", _cohort)
    page("/watchlist", "watchlist.html.j2", _watchlist)
    page("/releases", "releases.html.j2", _releases)
    page("/expected", "expected.html.j2", _expected)
    page("/about", "about.html.j2", _about)
    page("/runbook", "runbook.html.j2", lambda desk, request: {"text": runbook.html()})
    page("/runbook/self", "runbook.html.j2", lambda desk, request: {"text": runbook.html(runbook.SELF)})
    router.add_get("/login", _login_of(desk))


def shown(
    desk: Desk, request: web.Request, template: str, context: Mapping[str, Any], status: int = 200
) -> web.Response:
    """A page. Every one knows who looks, how Swerve is, and what its forms must send back."""
    signed, cookie = desk.door.form_of(request)
    silences = actions.muted(desk) if request.get(WHO) else []
    given: Context = {
        "desk": desk, "view": desk.view, "pulse": desk.view.pulse, "not_ready": desk.ready(), "csrf": signed,
        "who": request.get(WHO), "is_named": request.get(WHO) != NOBODY, "name": known_name(request),
        "muted": silences, "muted_said": in_words(silences), "path": request.path, "path_qs": request.path_qs,
        "query": request.query.get("q", ""),
    }  # fmt: skip
    text = desk.templates.get_template(template).render(given | dict(context))
    response = web.Response(status=status, body=text.encode("utf-8", "replace"), content_type="text/html")
    response.charset = "utf-8"
    if cookie is not None:
        desk.door.remember_form(response, cookie)
    return response


def _login_of(desk: Desk) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def login(request: web.Request) -> web.Response:
        """Where the token is asked for, once."""
        return shown(desk, request, "login.html.j2", {"next": request.query.get("next", "/"), "was_wrong": False})

    return login


def _overview(desk: Desk, request: web.Request) -> Context:
    firing = desk.view.firing()
    marks = [Mark(one.last.started_at, "onset") for one in firing if one.worst == "critical"][:6]
    over = [one for one in desk.view.alerts() if one.last.status == "resolved" and one.worst != "info"]
    over.sort(key=lambda one: (-(one.last.resolved_at or 0), one.last.alert_id))
    loud = [one for one in firing if one.last.severity != "info"]
    watched = [one for one in firing if one.last.severity == "info"]
    named = {f"{target.kind}:{target.id}" for one in loud for target in one.last.targets}
    named |= {f"model:{one}" for one, ms in desk.view.released().items() if ms > desk.at_ms - look.DAYS_DRAWN * DAY_MS}
    return {
        "loud": loud[:ALERTS_SHOWN],
        "loud_total": len(loud),
        "watched": watched[:WATCHED_SHOWN],
        "watched_total": len(watched),
        "over": over[:PAST_SHOWN],
        "moving": desk.once_a_tick("moving", lambda: look.moving(desk.view)),
        "models": desk.once_a_tick("models", lambda: look.fleet_chart(desk.view, "model", marks, named)),
        "capabilities": desk.once_a_tick(
            "capabilities", lambda: look.fleet_chart(desk.view, "capability", marks, named)
        ),
        "budget": look.budget(desk.view),
        "judging": judging(desk),
        "unseen": unseen(desk.view.coverage, desk.view.pulse.accounts, desk.settings.parameters),
        "entries": {one.last.alert_id: actions.entry(desk, one.last.alert_id) for one in loud[:ALERTS_SHOWN]},
    }


def _alerts(desk: Desk, request: web.Request) -> Context:
    question = listing.asked(request.query, listing.ALERT_SORTS)
    known = desk.view.alerts()
    found = listing.alerts(known, question)
    return {
        "asked": question,
        "found": found,
        "entries": {one.last.alert_id: actions.entry(desk, one.last.alert_id) for one in found.rows},
        "kinds": sorted({one.last.kind for one in known}),
        "verdicts": actions.verdicts(desk),
        "is_account": bool(question.q) and bool(desk.view.naming(question.q)),
    }


@dataclass(frozen=True, slots=True)
class Member:
    """A row of the members' table."""

    account_id: str
    score: float
    requests: int
    share_before: float | None
    share_after: float
    since_ms: int
    spark: Markup


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that members share. accounts, part: of those judged; may_cover: enough of them to announce it.

    members, near: how many members carry it, and who is near; 0 where no network is drawn.
    """

    dimension: str
    value: str
    accounts: int
    organisations: int | None
    elsewhere: int | None
    part: float
    may_cover: bool
    members: int
    near: int


def _alert(desk: Desk, request: web.Request) -> Context:
    known = actions.known(desk, request.match_info["alert_id"])
    question = listing.asked(request.query, listing.MEMBER_SORTS, limit=MEMBERS_SHOWN)
    page = listing.members(known.members, question)
    last = known.last
    told = {section.title: section for section in explain(known.records)}
    case, network = _case(desk, known), desk.view.networks.get(last.alert_id)
    return {
        "known": known,
        "alert": last,
        "case": case,
        "group_drawn": chart_of(case.lines, case.marks),
        "cohort_drawn": _cohort_course(desk, known),
        "now_drawn": _now(desk, known),
        "history": _history(desk, known, case),
        "note_max": NOTE_MAX,
        "next_step": runbook.next_step(last.kind, last.severity),
        "judged": number(judged_of(last.evidence), "accounts"),
        "asked": question,
        "page": page,
        "members": _members(desk, known, page.rows),
        "sections": [told[title] for title in SECTIONS if title in told],
        "votes": told[ONE_OPERATOR].rows if ONE_OPERATOR in told else (),
        "votes_shown": VOTES_SHOWN,
        "harmless_if": told["Harmless if"].rows if "Harmless if" in told else (),
        "shared": _shared(last.evidence, last.accounts_total, network),
        "network": network,
        "similar": desk.view.similar(known),
        "verdict": actions.verdicts(desk).get(last.alert_id),
        "verdicts": actions.verdicts(desk),
        "entry": actions.entry(desk, last.alert_id),
    }


@dataclass(frozen=True, slots=True)
class Now:
    """Shares of the target in the 24 hours before at_ms. others: of everybody else, None where nobody else was seen."""

    at_ms: int
    theirs: float
    others: float | None


def _now(desk: Desk, known: Known) -> Now | None:
    """Where the accounts of a live alert are since its last record; None where that is the latest that is known."""
    course = desk.view.courses.courses.get(known.last.alert_id)
    if course is None or not course.theirs or known.last.status == "resolved":
        return None
    at_ms = max(course.theirs)
    if at_ms <= known.last.updated_at:
        return None
    return Now(at_ms, course.theirs[at_ms], course.others.get(at_ms))


def _history(desk: Desk, known: Known, case: Case) -> list[Happened]:
    entry = actions.entry(desk, known.last.alert_id)
    said = [*actions.notes(desk, known.last.alert_id), *([entry.acknowledged] if entry.acknowledged else [])]
    return history(known, case.changes, said, actions.verdicts(desk).get(known.last.alert_id))


def _case(desk: Desk, known: Known) -> Case:
    """What its chart shows and the timeline, as in a report."""
    releases = sorted(desk.view.released().items())
    return next(cases_of(known.records, desk.view.courses.courses, releases))


def _cohort_course(desk: Desk, known: Known) -> Chart | None:
    """A declared cohort's share, counted exactly, beside the whole fleet's; None for a group that Swerve found."""
    last, view = known.last, desk.view
    if last.subject.kind != "cohort" or last.target.kind == "mix":
        return None
    target = f"{last.target.kind}:{last.target.id}"
    with view.lock:
        hours, counts = view.cohorts.course(last.subject.dimension or "", last.subject.id)
        fleet = view.fleet.shares(target, COURSE_H) if target in view.fleet.counts else []
    theirs = look.smoothed(hours, counts.get(target, {}), COURSE_H)
    if not theirs:
        return None
    first_ms = max(theirs[0][0], last.started_at - COURSE_DAYS * DAY_MS)
    series = {"this cohort": theirs, "the whole fleet": fleet}
    drawn = {name: [point for point in points if point[0] >= first_ms] for name, points in series.items()}
    marks = [Mark(last.started_at, "onset"), *look.releases_marked(view)]
    return by_name(drawn, marks)


def _members(desk: Desk, known: Known, rows: Sequence[Any]) -> list[Member]:
    target = known.last.target
    kept = list(desk.view.courses.kept) if target.kind != "mix" else []
    drawn = [one.account_id for one in rows[:SPARKS_MAX]]
    courses = tracks.shares_of(kept, drawn, f"{target.kind}:{target.id}")
    return [
        Member(
            one.account_id, one.score, one.requests, one.share_before, one.share_after, one.since_ms,
            look.spark(courses.get(one.account_id, ()), title=f"share of {target.id}", most=1.0),
        )
        for one in rows
    ]  # fmt: skip


def _shared(evidence: Mapping[str, Any], accounts_total: int, network: Network | None) -> list[Shared]:
    judged = max(1.0, number(judged_of(evidence), "accounts") or accounts_total)
    drawn = {} if network is None else {(one.dimension, one.value): (one.members, one.near) for one in network.values}
    rows = []
    for one in evidence.get("shared_values") or ():
        if not isinstance(one, Mapping):
            continue
        accounts = int(number(one, "accounts") or 0)
        organisations, elsewhere = number(one, "organisations"), number(one, "elsewhere")
        rows.append(
            Shared(
                str(one.get("dimension")), str(one.get("value")), accounts,
                None if organisations is None else int(organisations),
                None if elsewhere is None else int(elsewhere),
                min(1.0, accounts / judged), accounts >= CARRIED_MIN * judged,
                *drawn.get((str(one.get("dimension")), str(one.get("value"))), (0, 0)),
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (-row.accounts, row.dimension, row.value))
    return rows[:SHARED_SHOWN]


def _watchlist(desk: Desk, request: web.Request) -> Context:
    question = listing.asked(request.query, listing.WATCH_SORTS)
    rows = listing.watched(desk.view.watched, question)
    return {"asked": question, "rows": rows, "total": len(desk.view.watched)}


def _account(desk: Desk, request: web.Request) -> Context:
    account_id = desk.settings.said_account(request.query.get("id", "")[: listing.QUERY_MAX])
    mix = tracks.mix_of(list(desk.view.courses.kept), account_id)
    carried = actions.known_account(desk, account_id, bool(mix.requests))
    drawn = {}
    for kind, marks in (("model", look.releases_marked(desk.view)), ("capability", [])):
        names = [name for name in mix.strongest(len(mix.shares)) if name.startswith(f"{kind}:")][:STYLES]
        drawn[kind] = by_name({name.partition(":")[2]: mix.whole(name) for name in names}, marks)
    return {
        "account_id": account_id,
        "named": desk.view.naming(account_id),
        "watching": desk.view.watching(account_id),
        "requests": mix.requests,
        "carried": carried,
        "near": near_of(desk.view, account_id),
        "models": drawn["model"],
        "capabilities": drawn["capability"],
        "covering": [
            one for one in actions.announced(desk) if one.subject.kind == "account" and one.subject.id == account_id
        ],
    }


def _cohort(desk: Desk, request: web.Request) -> Context:
    dimension = request.query.get("dimension", "")[: listing.QUERY_MAX]
    value = request.query.get("id", "")[: listing.QUERY_MAX]
    with desk.view.lock:
        hours, counts = desk.view.cohorts.course(dimension, value)
    strongest = sorted(counts, key=lambda name: (-sum(counts[name].values()), name))
    drawn = {}
    for kind in ("model", "capability"):
        names = [name for name in strongest if name.startswith(f"{kind}:")][:STYLES]
        marks = look.releases_marked(desk.view) if kind == "model" else []
        series = {name.partition(":")[2]: look.smoothed(hours, counts[name]) for name in names}
        drawn[kind] = by_name(series, marks)
    about = [
        one for one in desk.view.alerts()
        if (one.last.subject.dimension, one.last.subject.id) == (dimension, value) or _carries(one, dimension, value)
    ]  # fmt: skip
    about.sort(key=lambda one: (-one.last.detected_at, one.last.alert_id))
    return {
        "dimension": dimension, "value": value, "hours": hours, "models": drawn["model"],
        "capabilities": drawn["capability"], "about": about[:listing.LIMIT],
    }  # fmt: skip


def _carries(known: Known, dimension: str, value: str) -> bool:
    return any(
        isinstance(one, Mapping) and one.get("dimension") == dimension and one.get("value") == value
        for one in known.last.evidence.get("shared_values") or ()
    )


def _releases(desk: Desk, request: web.Request) -> Context:
    """All of them, or one with what to expect of it."""
    view, model = desk.view, request.query.get("model", "")
    released = view.released()
    if model and model not in released:
        raise actions.UnknownReleaseError(f"no release {model[:64]}: mistyped, or it is neither announced nor seen")
    shown_now = sorted(released.items(), key=lambda one: (-one[1], one[0])) if not model else [(model, released[model])]
    return {"rows": [_release(desk, *one) for one in shown_now], "one": _adoption(desk, model) if model else None}


def _release(desk: Desk, model: str, at_ms: int) -> Context:
    view = desk.view
    with view.lock:
        points = view.fleet.shares(f"model:{model}", smooth_h=24) if f"model:{model}" in view.fleet.counts else []
    about = [one for one in view.firing() if any(target.id == model for target in one.last.targets)]
    picture = by_name({model: points[-24 * look.DAYS_DRAWN :]}, [Mark(at_ms, "released")])
    return {"model": model, "at_ms": at_ms, "share": points[-1][1] if points else None, "drawn": picture,
            "firing": about, "is_dated": model in {one.model for one in view.dated}}  # fmt: skip


def _adoption(desk: Desk, model: str) -> Context:
    view, begun_ms = desk.view, desk.view.released()[model]
    kept = list(view.courses.kept)
    columns = None if view.lately is None else view.lately.columns
    with view.lock:
        steps = adoption.expected(view.fleet, view.released(), model)
        cohorts = view.cohorts.first_users(f"model:{model}", adoption.FIRST_SHOWN)
        first_hour = view.cohorts.first_hour
    return {
        "steps": steps,
        "is_seen": first_hour is not None and first_hour * look.HOUR_MS <= begun_ms,
        "takers": adoption.first_takers(kept, model, columns),
        "cohorts": cohorts,
    }


def _expected(desk: Desk, request: web.Request) -> Context:
    subject, at_ms = request.query.get("subject", "")[: listing.QUERY_MAX], desk.at_ms
    rest = [one for one in actions.announced(desk) if not one.from_ms <= at_ms < one.until_ms]
    later = [(announced(one), one.until_ms <= at_ms) for one in rest]
    return {"later": later, "at_ms": at_ms, "subject": subject}


def _about(desk: Desk, request: web.Request) -> Context:
    return {
        "version": importlib.metadata.version("swerve"),
        "fingerprint": fingerprint(desk.settings.parameters),
        "values": {
            name: value if isinstance(value, str) else ", ".join(map(str, value)) if isinstance(value, tuple)
            else spoken.count(value)
            for name, value in dataclasses.asdict(desk.settings.parameters).items()
        },
        "sinks": [(one.name, one.kind, one.severity_min) for one in desk.settings.sinks],
        "http": desk.settings.http,
        "dialect": desk.settings.sources.dialect + (" with a [map]" if desk.settings.map else ""),
    }  # fmt: skip
