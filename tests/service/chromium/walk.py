"""How does one get from a sink's message to a verdict, on a phone? Walked in a real Chromium, a picture of every step.

`python -m tests.service.chromium.walk` draws those of docs/on-call.md, of a campaign that is simulated and found
there and then.
"""

from __future__ import annotations

import asyncio
import base64
import html
import json
import re
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from pydantic import SecretStr

from stream.commands.begin.demo import Story
from stream.configuration.sections import Http, SlackSink
from stream.configuration.settings import Settings
from stream.console.desk import Desk
from stream.console.health import Health
from stream.console.routes.site import attach
from stream.contract.alert import Alert
from stream.sinks.catalogue import SINKS
from stream.sinks.sink import Links
from stream.sinks.webhook import Webhook
from stream.telemetry import log
from tests.programs import program
from tests.service.browser import Browser, browsing

FOLDER = Path(__file__).parents[3] / "docs" / "pictures" / "walk"
STEPS = ("message", "page", "network", "next-step", "mine", "verdict")
PHONE = (390, 844)
HOURS_AFTER = 2  # of traffic after the page, in which the network is drawn
MESSAGE = """<meta name=viewport content="width=device-width"><style>body {{ margin: 0; background: #fff;
color: #1d1c1d; font: 16px/1.45 sans-serif }} header {{ padding: 14px; border-bottom: 1px solid #ddd }}
main {{ padding: 14px }} small {{ color: #616061 }}</style><header># on-call</header><main><b>Swerve</b>
<p>{said}</p><small>{context}</small></main>"""
SIGNS = {":rotating_light:": "\N{BLACK CIRCLE}", ":warning:": "\N{BLACK UP-POINTING TRIANGLE}"}  # in every font


def message(alert: Alert, address: str) -> str:
    """What a channel of Slack shows of the alert: the payload that the sink sends, its marks as Slack reads them."""
    sink = SINKS["slack"](SlackSink(kind="slack", url=SecretStr("https://slack.example/")), Links(address))
    assert isinstance(sink, Webhook)
    first, second = json.loads(sink.body(alert))["blocks"]
    return MESSAGE.format(said=_marked(first["text"]["text"]), context=_marked(second["elements"][0]["text"]))


def _marked(text: str) -> str:
    for sign, shown in SIGNS.items():
        text = text.replace(sign, shown)
    text = re.sub(r"<([^|>]+)\|([^>]+)>", lambda one: f'\0a href="{one[1]}"\1{one[2]}\0/a\1', text)
    text = html.escape(html.unescape(text), quote=False).replace("\0", "<").replace("\1", ">")
    return re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", text).replace("\n", "<br>")


async def walk(desk: Desk, alert: Alert, address: str, browser: Browser, folder: Path) -> list[str]:
    """Go the whole way; writes a picture for each of STEPS, and gives what could be read at each."""
    read = []

    async def seen(step: str, where: str = "scrollTo(0, 0)") -> None:
        await browser.run(where)
        told = await browser.ask("Page.captureScreenshot")
        (folder / f"{step}.png").write_bytes(base64.b64decode(told["data"]))
        read.append(await browser.text())

    await browser.look(*PHONE)
    page = base64.b64encode(message(alert, address).encode()).decode()
    await browser.open(f"data:text/html;charset=utf-8;base64,{page}")
    await seen("message")
    await browser.click("open")
    await seen("page")
    await seen("network", "document.querySelector('#network').scrollIntoView()")
    await browser.click("Acknowledge…")
    await browser.run("document.querySelector('main [name=by]').value = 'kim'")
    await seen("next-step", "document.querySelector('.actions').previousElementSibling.scrollIntoView()")
    await browser.click("I have it")
    await browser.open(f"{address}/")
    await seen("mine")
    await browser.open(f"{address}/alerts/{alert.alert_id}")
    await browser.click("Campaign…")
    await browser.run("document.querySelector('main [name=verdict] ~ label [name=note]').value = 'keys revoked'")
    await browser.press_in("Campaign…", "It is a campaign")
    await seen("verdict")
    return read


def paged() -> tuple[Desk, Alert]:
    """A simulated campaign, up to two hours behind its page. Raises SystemExit where nothing paged."""
    story = Story(Settings(http=Http(port=0)), "pivot", 3, 600, 5.5)
    page, hours = None, 0
    for _, alerts in story.play():
        page = page or next((one for one in alerts if one.severity == "critical"), None)
        hours += page is not None
        if page is not None and hours > HOURS_AFTER:
            story.after()
            story.desk.now_ms = lambda: story.fleet.at_ms
            return story.desk, page
    raise SystemExit("walk: nothing paged in the simulated log; is the detector whole?")


async def drawn(folder: Path) -> None:
    """Simulate, serve, walk."""
    desk, alert = paged()
    health = Health(desk.settings.http, ready=desk.ready)
    attach(desk, health.app)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(health)
        profile = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        chromium = program("chromium", "chromium-browser", "google-chrome", of="chromium")
        browser = await stack.enter_async_context(browsing(chromium, profile))
        await walk(desk, alert, f"http://127.0.0.1:{health.port}", browser, folder)


if __name__ == "__main__":
    log.set_up(level="critical")
    FOLDER.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(drawn(FOLDER)))
