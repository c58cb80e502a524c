"""The site, built once for all tests that look at it, and a browser for all of them."""

import contextlib
import fcntl
import io
import os
import shutil
import threading

import pytest

from cookbook.pages.catalogue import ROOT, recipes
from cookbook.site import build as builder
from cookbook.site.serve import server_of
from site_visits import FLAGS, PATIENCE, chromium


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """(folder of the built site, seconds of the processor that this took).

    Two processes of tests share one site. What it offers for download are the recipes
    as they are: other tests make their bundles.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            builder.refuse_without_tools()
    except SystemExit:
        pytest.skip(f"the site can't be built here: {said.getvalue().strip()}")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    duration = shared / "seconds.txt"
    with pytest.MonkeyPatch.context() as patch, (shared / "lock").open("w") as lock:
        patch.setattr(builder, "WORK", shared / "work")
        patch.setattr(builder, "_write_scripts", copy_recipes)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not duration.exists():
            start = sum(os.times()[:4])
            builder.build(shared / "built_site")
            duration.write_text(f"{sum(os.times()[:4]) - start}")
        fcntl.flock(lock, fcntl.LOCK_UN)
        yield shared / "built_site", float(duration.read_text())


def copy_recipes(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for entry in recipes():
        shutil.copy(ROOT / entry.file, folder)


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
    with api.sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(
                executable_path=chromium(), args=[*FLAGS], timeout=PATIENCE
            )
        except api.Error as error:
            pytest.skip(f"no Chromium starts here: {str(error).splitlines()[0]}")
        yield found
        found.close()
