"""The site, built once for all tests that look at it."""

import shutil
import threading
import time

import pytest

from cookbook.site import build as builder
from cookbook.site.serve import server_of


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """(folder of the built site, seconds that this took)."""
    try:
        builder.refuse_without_tools()
    except SystemExit:
        pytest.skip("the site is not built: its packages are missing (see stderr)")
    start = time.monotonic()
    folder = builder.build(tmp_path_factory.mktemp("built") / "site")
    return folder, time.monotonic() - start


@pytest.fixture(scope="session")
def address(built):
    """The address of a server of the site on this machine."""
    folder, _ = built
    with server_of(folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium: the system's, or else the one that playwright installs."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    flags = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with api.sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=path, args=flags)
        except api.Error as error:
            pytest.skip(f"no Chromium starts here: {str(error).splitlines()[0]}")
        yield found
        found.close()
