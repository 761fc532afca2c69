"""A real Chromium, driven over its own protocol: open a page, click, look, take a picture."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp

from tests.pace import PATIENCE_S

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip


class BrowserError(AssertionError):
    """What the page or the browser said."""


class Browser:
    """One tab. errors: what the page wrote to its console as errors, breaches of its policy among them.

    fetched: every address that it asked for.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._loads = asyncio.Condition()
        self._document = ""  # by the browser's own name for each that it begins to load
        self._loaded = ""
        self.errors: list[str] = []
        self.fetched: list[str] = []

    async def listen(self) -> None:
        """Take in what the browser says, until it is gone."""
        async for message in self._socket:
            told = json.loads(message.data)
            waiting = self._waiting.pop(told.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(told)
            self._noted(told.get("method", ""), told.get("params", {}))
            async with self._loads:
                self._loads.notify_all()

    def _noted(self, event: str, told: dict[str, Any]) -> None:
        if event == "Page.frameNavigated" and "parentId" not in told["frame"]:
            self._document = told["frame"]["loaderId"]
        elif event == "Page.loadEventFired":
            self._loaded = self._document
        elif event == "Network.requestWillBeSent":
            self.fetched.append(told["request"]["url"])
        elif event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif event == "Runtime.exceptionThrown":
            self.errors.append(str(told["exceptionDetails"].get("exception", told["exceptionDetails"])))

    async def ask(self, method: str, **params: Any) -> Any:
        """One command of the protocol. Raises BrowserError."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        told = await asyncio.wait_for(answer, PATIENCE_S)
        if "error" in told:
            raise BrowserError(f"{method}: {told['error']}")
        return told["result"]

    async def open(self, address: str) -> None:
        """Go there, and wait until it is loaded."""
        document = (await self.ask("Page.navigate", url=address)).get("loaderId")
        if document is not None:  # else it is another place of the same page
            await self._until(lambda: self._loaded == document)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with self._loads:
            await asyncio.wait_for(self._loads.wait_for(holds), PATIENCE_S)

    async def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        told = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise BrowserError(str(told["exceptionDetails"]))
        return told["result"].get("value")

    async def until(self, script: str) -> Any:
        """The value of an expression in the page, as soon as it is true of it."""
        return await self.run(
            "new Promise(done => { const look = () => { let is; try { is = " + script + "; } catch { is = false; }"
            " is ? done(is) : setTimeout(look, 20); }; look(); })"
        )

    async def click(self, words: str) -> None:
        """Press the button or link with these words, and wait for the page that follows."""
        before = self._document
        found = await self.run(
            f"(() => {{ const one = [...document.querySelectorAll('button, summary, a')]"
            f".find(one => one.textContent.trim() === {json.dumps(words)}); one?.click(); return one?.tagName; }})()"
        )
        if found is None:
            raise BrowserError(f"nothing to press says {words!r}")
        if found != "SUMMARY":
            await self._until(lambda: self._loaded not in ("", before))

    async def press_in(self, opened: str, words: str) -> None:
        """Press a button of what the summary with these words unfolded, and wait for the page that follows."""
        before = self._document
        await self.run(
            f"[...document.querySelectorAll('details')].find(one => one.firstElementChild.textContent.trim() === "
            f"{json.dumps(opened)}).querySelectorAll('button').forEach(one => one.textContent.trim() === "
            f"{json.dumps(words)} && one.click())"
        )
        await self._until(lambda: self._loaded not in ("", before))

    async def press(self, key: str) -> None:
        """Type one key."""
        for kind in ("keyDown", "keyUp"):
            await self.ask("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")

    async def mouse(self, event: str, x: float, y: float) -> None:
        """One event of the mouse, such as "mouseMoved", with its left button."""
        await self.ask("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", clickCount=1)

    async def text(self) -> str:
        """What can be read on the page."""
        return str(await self.run("document.body.innerText"))

    async def look(self, width: int, height: int = 900, dark: bool = False) -> None:
        """A screen of this size, and light or dark."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self, path: Path) -> None:
        """The whole page as PNG."""
        told = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(told["data"]))


@contextlib.asynccontextmanager
async def browsing(program: str, profile: Path) -> AsyncIterator[Browser]:
    """Start Chromium with a profile of its own, and end it."""
    process = await asyncio.create_subprocess_exec(
        program, *FLAGS, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            address = await _tab(session, profile / "DevToolsActivePort")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                browser = Browser(socket)
                listening = asyncio.create_task(browser.listen())
                for domain in ("Page", "Runtime", "Network", "Log"):
                    await browser.ask(f"{domain}.enable")
                yield browser
                listening.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _tab(session: aiohttp.ClientSession, told: Path) -> str:
    """The address of the first tab, as soon as the browser has written where it listens."""
    async with asyncio.timeout(PATIENCE_S):
        while not (told.exists() and "\n" in told.read_text()):
            await asyncio.sleep(0.05)
        port = told.read_text().splitlines()[0]
        while True:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [one for one in await answer.json() if one["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)
