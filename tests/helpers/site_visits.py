"""Visits of the site's pages: what a browser says and shows while it loads them."""

import asyncio
import shutil
import threading
import urllib.parse

from cookbook.site import build as builder

AXE = builder.MODULES / "axe-core" / "axe.min.js"
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",  # containers have little of it
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
FIRST_LOAD = 300_000  # bytes, as a server sends them, without models
MODELS = (".onnx", ".wasm", ".bin", ".ort")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
PATIENCE = 900_000  # milliseconds: a machine that does other work is no fault of a page
TABS = 2  # pages that load at a time, since each takes a core
TYPESET = (
    "!document.querySelector('.arithmatex') || document.documentElement.dataset.typeset"
)
WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
LOST = """[...document.images]
    .filter((image) => image.complete && !image.naturalWidth && image.src)
    .map((image) => image.src)"""
# Dark pages differ from light ones in nothing but their colours.
RULES = {"light": "{}", "dark": "{runOnly: ['color-contrast']}"}


def chromium():
    """The path of the system's Chromium; None has playwright take its own."""
    names = "chromium", "chromium-browser", "google-chrome"
    return next(filter(None, map(shutil.which, names)), None)


def new_page(browser, **options):
    """A page of the browser that waits as long as it takes."""
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE)
    return page


def found_by_visits(address, names, checked):
    """{page: what is wrong with it}, of pages that a browser has loaded.

    Args:
        address: of the server.
        names: paths of all pages.
        checked: those of them that axe-core looks at as well, which takes seconds.
    """
    found, failures = {}, []

    def visit():
        try:
            asyncio.run(_visit_all(address, list(names), set(checked), found))
        except BaseException as error:
            failures.append(error)

    # A thread of its own, since the browser of other tests holds a loop of this one.
    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return found


async def _visit_all(address, names, checked, found):
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=[*FLAGS], timeout=PATIENCE
        )
        tabs = [_Tab(address, names, checked, found) for _ in range(TABS)]
        await asyncio.gather(*(tab.work(browser) for tab in tabs))
        await browser.close()


class _Tab:
    """A tab that takes pages from a list until it is empty."""

    def __init__(self, address, names, checked, found):
        self.address, self.names = address, names
        self.checked, self.found = checked, found

    async def work(self, browser):
        context = await browser.new_context(viewport=PHONE, color_scheme="light")
        context.set_default_timeout(PATIENCE)
        self.page = await context.new_page()
        self.page.on("console", self.note)
        self.page.on("pageerror", lambda error: self.problems.append(f"says {error}"))
        self.page.on("request", self.check)
        self.client = await context.new_cdp_session(self.page)
        await self.client.send("Network.enable")
        self.client.on("Network.responseReceived", self.begin)
        self.client.on("Network.loadingFinished", self.end)
        self.sizes = {}  # bytes of what this tab has loaded, and may keep
        while self.names:
            name = self.names.pop(0)
            self.problems = self.found[name] = []
            self.asked, self.loaded = {}, set()
            await self.load(name)
            await self.look()
            if name in self.checked:
                await self.ask_axe(name)
        await context.close()

    def note(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(f"says {message.text}")

    def check(self, request):
        address = urllib.parse.urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.problems.append(f"asks {request.url}")

    def begin(self, event):
        url = self.asked[event["requestId"]] = event["response"]["url"]
        if not urllib.parse.urlsplit(url).path.endswith(MODELS):
            self.loaded.add(url)

    def end(self, event):
        url = self.asked.get(event["requestId"])
        known = self.sizes.get(url, 0)
        self.sizes[url] = max(known, event["encodedDataLength"])

    async def load(self, name):
        moment = "networkidle" if name.startswith("playgrounds/") else "load"
        await self.page.goto(f"{self.address}/{name}", wait_until=moment)
        await self.page.wait_for_function(TYPESET)

    async def look(self):
        """Notes what is wrong with a page on a phone."""
        total = sum(self.sizes.get(url, 0) for url in self.loaded)
        if total > FIRST_LOAD:
            self.problems.append(f"loads {total:,} bytes at first")
        wide, width = await self.page.evaluate(WIDTHS)
        if wide > width:
            self.problems.append(f"scrolls sideways by {wide - width} pixels")
        for source in await self.page.evaluate(LOST):
            self.problems.append(f"lacks the picture {source}")
        if await self.page.locator(".katex-error").count():
            self.problems.append("has a formula that KaTeX refuses")

    async def ask_axe(self, name):
        """Notes what keeps people with disabilities from using a page."""
        await self.page.set_viewport_size(DESK)
        for scheme, rules in RULES.items():
            await self.page.emulate_media(color_scheme=scheme)
            await self.load(name)
            await self.page.add_script_tag(path=AXE)
            result = await self.page.evaluate(f"axe.run({rules})")
            self.problems += violations(result, scheme)
        await self.page.emulate_media(color_scheme="light")
        await self.page.set_viewport_size(PHONE)


def violations(result, scheme):
    """What axe-core has found, a line for each rule."""
    return [
        f"breaks {each['id']} ({scheme}): {each['nodes'][0]['html'][:120]}"
        for each in result["violations"]
    ]
