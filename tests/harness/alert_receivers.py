"""Stand-ins of what alerts are sent to: Slack, Telegram, PagerDuty, SNS, Teams, a webhook, on one HTTP server; and a
mail server that plays faults. Each says no as the real one does, and counts what it has taken."""
import datetime
import hashlib
import hmac
import http.server
import json
import re
import socketserver
import threading
import urllib.parse

ROUTING_KEY = "r" * 32
AWS = ("AKIAEXAMPLE", "opensesame")
SNS_DONE = "<PublishResponse><PublishResult><MessageId>m-{}</MessageId></PublishResult></PublishResponse>"
SNS_FAULT = "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>no</Message></Error></ErrorResponse>"


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256)


def is_signed(handler, body):
    """Whether AWS would take the signature: worked out anew from what has arrived."""
    found = re.match(r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/sns/aws4_request, *SignedHeaders=([\w;-]+), *"
                     r"Signature=(\w+)$", handler.headers.get("Authorization", ""))
    if not found or found[1] != AWS[0]:
        return False
    _, day, region, names, signature = found.groups()
    lines = "".join(f"{name}:{handler.headers[name].strip()}\n" for name in names.split(";"))
    canonical = "\n".join(["POST", "/", "", lines, names, hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/sns/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", handler.headers["X-Amz-Date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + AWS[1]).encode()
    for part in (day, region, "sns", "aws4_request"):
        key = hmac_sha256(key, part).digest()
    age = abs((datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.strptime(
        handler.headers["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")).total_seconds())
    return hmac.compare_digest(hmac_sha256(key, text).hexdigest(), signature) and age < 900


class Receivers:
    """Each of `faults[name]` is answered first, as (status, headers, body), in turn; `lost` ones after it was taken."""

    def __init__(self):
        self.taken = {}  # by name: the messages, as ("fired" or "resolved", what it was)
        self.refused = []
        self.faults = {}
        self.lost = set()
        self.ids = 0
        self.lock = threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802, by the library
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with owner.lock:
                    answer = owner.answer(self, body)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that are killed
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler, body):
        path = urllib.parse.urlsplit(handler.path).path
        name = next((name for prefix, name in PATHS.items() if path.startswith(prefix)), None)
        if name is None:
            self.refused.append(f"no such path: {path}")
            return 404, {}, "not found"
        if self.faults.get(name):
            return self.faults[name].pop(0)
        answer = getattr(self, name)(handler, body)
        if answer[0] >= 300:
            self.refused.append(f"{name}: {answer}")
        if name in self.lost and answer[0] < 300:  # it has the message, and the answer gets lost
            self.lost.remove(name)
            return None
        return answer

    def take(self, name, kind, message):
        self.taken.setdefault(name, []).append((kind, message))
        self.ids += 1
        return self.ids

    @staticmethod
    def kind_of(text):
        return "resolved" if "Over: " in text else "fired"

    def slack_hook(self, handler, body):
        message = json.loads(body)
        if not message.get("text") or handler.headers["Content-Type"] != "application/json":
            return 400, {}, "no_text"
        self.take("slack_hook", self.kind_of(message["text"]), message)
        return 200, {}, "ok"

    def slack_bot(self, handler, body):
        message = json.loads(body)
        if handler.headers["Authorization"] != "Bearer xoxb-sesame":
            return 200, {}, '{"ok": false, "error": "invalid_auth"}'
        if message.get("channel") not in ("#alerts", "C024"):
            return 200, {}, '{"ok": false, "error": "channel_not_found"}'
        number = self.take("slack_bot", self.kind_of(message["text"]), message)
        return 200, {}, json.dumps({"ok": True, "channel": "C024", "ts": f"17000000.{number:06}"})

    def telegram(self, handler, body):
        message = json.loads(body)
        if not handler.path.startswith("/bot77:sesame/sendMessage"):
            return 404, {}, '{"ok": false, "error_code": 404, "description": "Not Found"}'
        unclosed = re.sub(r"</?(b|i|a)( href=\"[^\"<>]*\")?>", "", message["text"])
        if "<" in unclosed or ">" in unclosed or message["parse_mode"] != "HTML":
            return 400, {}, '{"ok": false, "error_code": 400, "description": "Bad Request: can\'t parse entities"}'
        number = self.take("telegram", self.kind_of(message["text"]), message)
        return 200, {}, json.dumps({"ok": True, "result": {"message_id": number}})

    def pagerduty(self, _, body):
        event = json.loads(body)
        if event["routing_key"] != ROUTING_KEY or event["event_action"] not in ("trigger", "resolve"):
            return 400, {}, '{"status": "invalid event", "message": "no", "errors": ["no"]}'
        if event["event_action"] == "trigger" and event["payload"]["severity"] not in ("error", "warning", "info"):
            return 400, {}, '{"status": "invalid event", "message": "severity"}'
        self.take("pagerduty", {"trigger": "fired", "resolve": "resolved"}[event["event_action"]], event)
        return 202, {}, json.dumps({"status": "success", "dedup_key": event["dedup_key"]})

    def sns(self, handler, body):
        if not is_signed(handler, body):
            return 403, {}, SNS_FAULT.format("SignatureDoesNotMatch")
        params = dict(urllib.parse.parse_qsl(body.decode()))
        subject = params.get("Subject", "")
        if params.get("Action") != "Publish" or len(subject) > 100 or not subject.isascii() or "\n" in subject:
            return 400, {}, SNS_FAULT.format("InvalidParameter")
        once = params["MessageDeduplicationId"]
        if once not in [message["MessageDeduplicationId"] for _, message in self.taken.get("sns", [])]:
            self.take("sns", self.kind_of(params["Message"]), params)
        return 200, {}, SNS_DONE.format(self.ids)

    def teams(self, _, body):
        card = json.loads(body)["attachments"][0]["content"]
        if card["type"] != "AdaptiveCard":
            return 400, {}, "Bad payload"
        self.take("teams", self.kind_of(card["body"][0]["text"]), card)
        return 202, {}, ""

    def webhook(self, handler, body):
        time, _, signature = handler.headers.get("X-Shaduf-Signature", "t=,v1=").partition(",")
        expected = hmac_sha256(b"hooksesame", time[2:] + "." + body.decode()).hexdigest()
        if signature != "v1=" + expected:
            return 401, {}, "wrong signature"
        message = json.loads(body)
        self.take("webhook", message["kind"], message)
        return 204, {}, ""


PATHS = {"/services/": "slack_hook", "/slack/chat.postMessage": "slack_bot", "/bot": "telegram",
         "/v2/enqueue": "pagerduty", "/workflows/": "teams", "/hook": "webhook", "/": "sns"}


class FaultySmtp:
    """A mail server in the clear that plays faults: of `script` each connection takes one.

    busy: 421 as its greeting; busy_at_data: 451 behind the whole mail; refuses: 550 for each recipient; no_tls: it
    offers no STARTTLS, as somebody in between would have it; tls_454: it offers it, and then does not; good: takes the
    mail.
    """

    def __init__(self, script):
        self.script, self.mails, self.commands = list(script), [], []
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                owner.speak(self, owner.script.pop(0) if owner.script else "good")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def speak(self, handler, fault):
        def say(text):
            handler.wfile.write((text + "\r\n").encode())

        if fault == "busy":
            return say("421 4.3.2 too busy, come back later")
        say("220 mail.acme.example ESMTP")
        while line := handler.rfile.readline().decode("ascii").strip():
            self.commands.append(line)
            command = line.upper()
            if command.startswith("EHLO"):
                say("250-mail.acme.example\r\n250-STARTTLS\r\n250 8BITMIME" if fault == "tls_454" else
                    "250 mail.acme.example")
            elif command == "STARTTLS":
                say("454 4.7.0 TLS not available due to a temporary reason")
            elif command.startswith("RCPT") and fault == "refuses":
                say("550 5.1.1 no such user")
            elif command == "DATA":
                say("354 go on")
                text = b""
                while (more := handler.rfile.readline()) not in (b".\r\n", b""):
                    text += more[1:] if more.startswith(b".") else more
                if fault == "busy_at_data":
                    say("451 4.3.0 try again")
                else:
                    self.mails.append(text.decode("ascii"))
                    say("250 2.0.0 taken")
            elif command == "QUIT":
                return say("221 bye")
            else:
                say("250 OK")
        return None
