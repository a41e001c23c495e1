"""A small HTTP server that answers as a .test file says, on a free port of the loopback."""
import http.server
import threading
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int = 200
    headers: list = field(default_factory=list)
    body: bytes = b""
    cut: int = None  # end the connection after so many bytes of the body


class ScriptedServer:
    """Answers each route with its answers one after the other; the last one stays."""

    def __init__(self):
        self.routes = {}
        self.requests = []
        self.lock = threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode("utf-8", "replace")
                owner.answer(self, body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, method, path, answer):
        with self.lock:
            self.routes.setdefault((method, path), []).append(answer)

    def take(self, method, target):
        """The next answer; a route with the query wins over one of the path alone."""
        with self.lock:
            for path in (target, target.partition("?")[0]):
                answers = self.routes.get((method, path))
                if answers:
                    return answers.pop(0) if len(answers) > 1 else answers[0]
        return Answer(404, [], b'{"error": "no such route in the test"}')

    def answer(self, handler, body):
        with self.lock:
            self.requests.append(f"{handler.command} {handler.path}" + (f" {body}" if body else ""))
        answer = self.take(handler.command, handler.path)
        handler.send_response(answer.status)
        names = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            handler.send_header(name, value.replace("{HTTP}", self.url))
        if "content-type" not in names:
            handler.send_header("Content-Type", "application/json")
        if "content-length" not in names:
            handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body if answer.cut is None else answer.body[:answer.cut])
        if answer.cut is not None:
            handler.close_connection = True

    def take_requests(self):
        with self.lock:
            seen, self.requests = self.requests, []
        return seen

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
