"""A small server for the built site, on this machine alone."""

import gzip
import mimetypes
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cookbook.errors import fail

TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".md": "text/markdown",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".ipynb": "application/json",
    ".onnx": "application/octet-stream",
}
COMPRESSED = ("text/", "application/json", "image/svg", "application/xml")


class Handler(SimpleHTTPRequestHandler):
    """Answers with files, compressed as public servers send them."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        status = HTTPStatus.OK if path.is_file() else HTTPStatus.NOT_FOUND
        if not path.is_file():
            path = Path(self.directory) / "404.html"
        body = path.read_bytes() if path.is_file() else b""
        kind = type_of(path)
        accepts_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        self.send_response(status)
        if kind.startswith(COMPRESSED) and accepts_gzip:
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        if kind.startswith("text/"):
            kind = f"{kind}; charset=utf-8"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing about each request."""


def type_of(path: Path) -> str:
    """The media type of a file, whatever the system believes."""
    known = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return known or "application/octet-stream"


def server_of(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of the folder on loopback; port 0 takes any that is free."""
    try:
        return ThreadingHTTPServer(
            ("127.0.0.1", port), partial(Handler, directory=str(folder))
        )
    except OSError as error:
        fail(
            f"--port got {port}, which can't be used ({error.strerror}): give another "
            "one, or 0 for any that is free"
        )


def serve_site(folder: Path, port: int) -> None:
    """Serves the folder until Ctrl-C."""
    with server_of(folder, port) as server:
        print(f"http://127.0.0.1:{server.server_port}/ shows it; Ctrl-C ends it.")
        server.serve_forever()
