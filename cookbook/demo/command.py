"""The command `demo`: a page on this machine on which one asks a finished run."""

import argparse
import importlib.metadata
import os
import socket
import tempfile
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from cookbook import load_run
from cookbook.demo.frame import UPLOADS
from cookbook.errors import Mistake, fail, note
from cookbook.runs.stopping import leave, listen

LOOPBACK = ("127.0.0.1", "localhost")
LARGEST_UPLOAD = "200mb"
# Read by Gradio when it is imported. It tells nobody that it runs, and its requests to
# this machine do not go through a proxy.
SETTINGS: Mapping[str, str] = {"GRADIO_ANALYTICS_ENABLED": "False", "NO_PROXY": "*"}


def demo_command(arguments: argparse.Namespace) -> None:
    """Loads the run, opens its page and serves it until Ctrl-C."""
    refuse_without_gradio()
    listen()
    try:
        port = free_port(arguments.host, arguments.port)
        with tempfile.TemporaryDirectory(prefix="cookbook_demo_") as uploads:
            os.environ.update(SETTINGS, **{UPLOADS: uploads})
            try:
                run = load_run(arguments.run, arguments.run_dir)
                from cookbook.demo.pages import page_of  # with Keras, which is loaded

                page = page_of(run)(run)
            except Mistake as problem:
                fail(str(problem))
            serve(page, arguments.host, port)
    except KeyboardInterrupt:
        leave()


def refuse_without_gradio() -> None:
    """Ends the program with one line if Gradio is missing, or too old."""
    try:
        version = importlib.metadata.version("gradio")
    except importlib.metadata.PackageNotFoundError:
        fail("demo needs gradio, which is not installed: pip install gradio")
    major = version.partition(".")[0]
    if int(major) < 6:
        fail(
            f"demo needs version 6 of gradio, but {version} is installed: "
            "pip install --upgrade gradio"
        )


def free_port(host: str, port: int) -> int:
    """The port, or any free one for 0; ends the program if it can't be used."""
    if not 0 <= port < 2**16:
        fail(f"--port got {port}, expected a number from 0 to {2**16 - 1}")
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return probe.getsockname()[1]
    except socket.gaierror:
        fail(f"--host got {host!r}, expected a name or an address such as 127.0.0.1")
    except OSError as error:
        _refuse_address(host, port, error.strerror or str(error))


def _refuse_address(host: str, port: int, reason: str) -> NoReturn:
    fail(
        f"the demo can't be at {host}:{port} ({reason}): give another --port, or 0 for "
        "any that is free"
    )


def serve(page: Any, host: str, port: int) -> None:
    """Serves a page until a signal comes.

    page: a gradio.Blocks.
    """
    import gradio as gr

    fonts = ["system-ui", "sans-serif"]  # nothing is loaded from the internet
    try:
        page.launch(
            server_name=host,
            server_port=port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            ssr_mode=False,
            enable_monitoring=False,
            max_file_size=LARGEST_UPLOAD,
            footer_links=[],
            theme=gr.themes.Default(font=fonts, font_mono=["monospace"]),
        )
    except OSError as error:
        _refuse_address(host, port, str(error))
    if host not in LOOPBACK:
        note(f"--host {host} lets everyone who reaches this machine use the page")
    print(f"The demo is at http://{host}:{port} until you press Ctrl-C", flush=True)
    try:
        while True:
            time.sleep(3600)
    finally:
        page.close(verbose=False)
