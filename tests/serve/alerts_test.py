#!/usr/bin/env python3
"""Alerts of the real server, as those who are told of them see it.

alerts_test.py SHADUF [CASE...]: each case starts `shaduf serve` in a folder of its own, with stand-ins of what alerts
are sent to; status 77 when a part that a case needs is not installed, with its name.
"""
import email
import email.policy
import html
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

from alert_receivers import AWS, ROUTING_KEY, FaultySmtp, Receivers  # noqa: E402
from s3 import S3Server  # noqa: E402
from serve_test import PATIENCE, Server, select_nothing  # noqa: E402

SECRETS = ["sesame", "lovelace", ROUTING_KEY, "AKIAEXAMPLE", "T1/B1", "nobody@", "ada@"]
CHANNELS = """
    slack_hook: {{type: slack, url: "{url}/services/T1/B1/sesame"}}
    slack_bot: {{type: slack, token: xoxb-sesame, to: "#alerts", base_url: "{url}/slack"}}
    telegram: {{token: "77:sesame", chat: "-100", base_url: "{url}"}}
    pagerduty: {{routing_key: {routing_key}, base_url: "{url}"}}
    sns: {{topic: "arn:aws:sns:eu-central-1:123456789012:alerts.fifo", access_key: {aws[0]}, secret_key: {aws[1]},
           base_url: "{url}"}}
    teams: {{url: "{url}/workflows/sesame"}}
    webhook: {{url: "{url}/hook", key: hooksesame}}
"""
NAMES = ["slack_hook", "slack_bot", "telegram", "pagerduty", "sns", "teams", "webhook"]
PROJECT = """name: acme
environments: {dev: {warehouse: local, default: true}}
connections: {local: {type: duckdb, path: acme.duckdb}}
"""


class Skipped(Exception):
    pass


class Mailbox:
    """A real mail server; the mails that it has taken."""

    def __init__(self, folder, *arguments):
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "mail.key",
                               "-out", "mail.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", names],
                              cwd=folder, capture_output=True, check=False)
        assert made.returncode == 0, made
        self.certificate = pathlib.Path(folder) / "mail.pem"
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(HERE.parent / "harness/smtp_server.py"), "mail.pem", "mail.key", *arguments],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        if line.startswith("skipped"):
            raise Skipped(line)
        self.port = int(line)
        self.mails = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            mail = json.loads(line)
            mail["message"] = email.message_from_string(mail["text"], policy=email.policy.default)
            self.mails.append(mail)

    def kinds(self):
        return ["resolved" if "Over: " in mail["message"]["Subject"] else "fired" for mail in self.mails]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)


class Watched:
    """A server whose flow `orders` fails as long as it is broken, and what its alerts are sent to."""

    def __init__(self, shaduf, folder):
        self.server = Server(shaduf, folder)
        self.receivers = Receivers()
        self.said = ""
        self.server.write("flows/orders.yml",
                          f'owner: ada\ntasks:\n  load: {{shell: "test ! -e {folder}/broken; echo $0 >/dev/null; '
                          f'test ! -e {folder}/broken"}}\n')

    def configure(self, more="", wait="1s", channels=CHANNELS):
        channels = channels.format(url=self.receivers.url, routing_key=ROUTING_KEY, aws=AWS)
        self.server.write("shaduf.yml", f"{PROJECT}alerts:\n  url: https://data.acme.example\n"
                                        f"  channels:\n{channels}{more}\n"
                                        f"  rules: [{{when: run_failed, wait: {wait}, group_by: flow}}]\n")

    def start(self):
        self.server.start()
        return self

    def kill(self):
        self.said += self.server.stop(signal.SIGKILL)

    def run(self, broken):
        flag = self.server.folder / "broken"
        if broken:
            flag.touch()
        else:
            flag.unlink(missing_ok=True)
        run = self.server.post("/api/v1/flows/orders/runs")["run"]
        found = self.server.wait_for("the run's end", "/api/v1/runs/" + run,
                                     lambda body: body["state"] in ("succeeded", "failed"))
        assert found["state"] == ("failed" if broken else "succeeded"), found
        return run

    def kinds(self):
        return {name: [kind for kind, _ in messages] for name, messages in self.receivers.taken.items()}

    def wait_until(self, what, good):
        until = time.monotonic() + PATIENCE
        while not good():
            assert time.monotonic() < until, (what, self.kinds(), self.receivers.refused)
            select_nothing(0.05)

    def close(self):
        if self.server.process is not None:
            self.kill()
        self.receivers.close()


def case_everyone_is_told_once(watched):
    """One alert and one resolution in each, over a kill of the server in between."""
    mailbox = Mailbox(watched.server.folder)
    try:
        watched.configure(f"""
    mail: {{type: email, host: 127.0.0.1, port: {mailbox.port}, ca_file: {mailbox.certificate}, user: ada,
            password: lovelace, from: "sh\u00e4duf <alerts@acme.example>", to: [ada@acme.example, nobody@acme.example]}}
""")
        watched.start()
        run = watched.run(broken=True)
        watched.wait_until("all are told", lambda: set(watched.kinds()) == set(NAMES) and mailbox.mails)
        fired = watched.server.wait_for("it is kept", "/api/v1/alerts", lambda body: not body["items"][0]["owed"])
        watched.kill()
        watched.start()
        watched.run(broken=True)  # still broken: nobody is told again
        watched.run(broken=False)
        watched.wait_until("the end is told", lambda: all(kinds[-1] == "resolved" for kinds in watched.kinds().values())
                           and mailbox.kinds()[-1] == "resolved")
        alerts = watched.server.wait_for("nothing is owed", "/api/v1/alerts",
                                         lambda body: not any(item["owed"] for item in body["items"]))
    finally:
        mailbox.close()
    assert watched.kinds() == {name: ["fired", "resolved"] for name in NAMES}, watched.kinds()
    assert mailbox.kinds() == ["fired", "resolved"], mailbox.kinds()
    assert not watched.receivers.refused, watched.receivers.refused
    assert [item["id"] for item in alerts["items"]] == [fired["items"][0]["id"]], alerts
    assert alerts["items"][0]["state"] == "resolved" and alerts["items"][0]["link"].startswith("/runs/"), alerts
    taken = {name: [message for _, message in messages] for name, messages in watched.receivers.taken.items()}
    assert taken["slack_bot"][1]["thread_ts"].endswith("0") or taken["slack_bot"][1]["thread_ts"], taken["slack_bot"]
    assert taken["pagerduty"][0]["dedup_key"] == taken["pagerduty"][1]["dedup_key"]
    assert "orders" in taken["telegram"][0]["text"] and "reply_parameters" in taken["telegram"][1], taken["telegram"]
    matter = taken["webhook"][0]["matters"][0]
    assert matter["link"] == f"https://data.acme.example/runs/{run}?task=load" and matter["text"], matter
    first, second = (mail["message"] for mail in mailbox.mails)
    assert mailbox.mails[0]["encrypted"] and mailbox.mails[0]["signed_in"] == "ada", mailbox.mails[0]
    assert mailbox.mails[0]["to"] == ["ada@acme.example"], mailbox.mails[0]
    assert second["In-Reply-To"] == first["Message-ID"] != second["Message-ID"], (first.items(), second.items())
    assert str(first["From"]) == "sh\u00e4duf <alerts@acme.example>", first.items()
    assert first["Date"].datetime.year >= 2026, first.items()
    plain, html = first.get_body(("plain",)).get_content(), first.get_body(("html",)).get_content()
    assert "Flow orders failed, in task load" in plain and "<h3" in html, (plain, html)
    notes = [one["error"] for one in alerts["items"][0]["deliveries"] if one["channel"] == "mail"]
    assert "1 of 2 addresses are not taken" in notes[0], notes
    check_no_secrets(watched, alerts)


def check_no_secrets(watched, alerts):
    channels = watched.server.get("/api/v1/alert-channels")
    assert {item["name"] for item in channels["items"]} >= set(NAMES), channels
    watched.said += watched.server.stop()
    for secret in SECRETS:
        for text in (json.dumps(alerts), json.dumps(channels), watched.said):
            assert secret not in text, (secret, text)


def case_killed_right_behind_the_end_of_a_run(watched):
    """Nobody has been told when the server is killed: the next one tells it."""
    watched.configure(wait="5s")
    watched.start()
    watched.run(broken=True)
    watched.kill()
    assert not watched.kinds(), watched.kinds()
    watched.start()
    watched.wait_until("all are told", lambda: set(watched.kinds()) == set(NAMES))
    watched.run(broken=False)
    watched.wait_until("the end is told", lambda: all(kinds[-1] == "resolved" for kinds in watched.kinds().values()))
    assert watched.kinds() == {name: ["fired", "resolved"] for name in NAMES}, watched.kinds()


def case_killed_while_messages_are_under_way(watched):
    """Answers get lost with the process: a message may repeat, under the same id, and none is lost."""
    watched.configure(wait="0s", channels='\n    webhook: {{url: "{url}/hook", key: hooksesame}}\n')
    watched.start()
    for broken in (True, False):
        begun = len(watched.receivers.taken.get("webhook", []))
        watched.run(broken)
        watched.wait_until("it has arrived", lambda: len(watched.receivers.taken.get("webhook", [])) > begun)
        watched.kill()
        watched.start()
    watched.server.wait_for("nothing is owed", "/api/v1/alerts", lambda body: len(body["items"]) == 1 and
                            not body["items"][0]["owed"] and body["items"][0]["state"] == "resolved")
    ids = {}
    for kind, message in watched.receivers.taken["webhook"]:
        ids.setdefault(kind, set()).add(message["id"])
    assert {kind: len(found) for kind, found in ids.items()} == {"fired": 1, "resolved": 1}, ids


def case_faults_of_each(watched):
    """What each of them may say no with, and once an answer that gets lost."""
    watched.configure(wait="0s")
    watched.receivers.faults = {
        "slack_hook": [(429, {"Retry-After": "1"}, ""), (500, {}, "<html>oops</html>")],
        "slack_bot": [(200, {}, '{"ok": false, "error": "ratelimited"}'), (200, {}, "<html>sign in</html>")],
        "telegram": [(429, {}, '{"ok": false, "error_code": 429, "parameters": {"retry_after": 1}}'),
                     (400, {}, '{"ok": false, "error_code": 400, "parameters": {"migrate_to_chat_id": -100123}}')],
        "pagerduty": [(429, {"Retry-After": "1"}, ""), (503, {}, "")],
        "sns": [(400, {}, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>")],
        "teams": [(200, {}, "Webhook message delivery failed with error: HTTP error 429"), (502, {}, "")],
    }
    watched.receivers.lost = {"sns", "webhook"}
    watched.start()
    watched.run(broken=True)
    watched.wait_until("all are told", lambda: set(watched.kinds()) == set(NAMES))
    watched.server.wait_for("nothing is owed", "/api/v1/alerts", lambda body: not body["items"][0]["owed"])
    watched.run(broken=False)
    watched.wait_until("the end is told", lambda: all(kinds[-1] == "resolved" for kinds in watched.kinds().values()))
    kinds = watched.kinds()
    assert kinds.pop("webhook") == ["fired", "fired", "resolved"], kinds  # the answer got lost: the same one again
    assert kinds == {name: ["fired", "resolved"] for name in NAMES if name != "webhook"}, kinds
    webhook = [message["id"] for _, message in watched.receivers.taken["webhook"]]
    assert webhook[0] == webhook[1] != webhook[2], webhook
    assert watched.receivers.taken["telegram"][0][1]["chat_id"] == "-100123"


def case_refused_for_good(watched):
    """One that is refused is shown with the reason, told no end, and holds up no other."""
    watched.configure(wait="0s")
    watched.receivers.faults = {"slack_bot": [(200, {}, '{"ok": false, "error": "channel_not_found"}')]}
    watched.start()
    watched.run(broken=True)
    rest = [name for name in NAMES if name != "slack_bot"]
    watched.wait_until("the rest is told", lambda: set(watched.kinds()) == set(rest))
    watched.run(broken=False)
    watched.wait_until("the end is told", lambda: all(kinds[-1] == "resolved" for kinds in watched.kinds().values()))
    alerts = watched.server.wait_for("nothing is owed", "/api/v1/alerts", lambda body: not body["items"][0]["owed"])
    said = [one["error"] for one in alerts["items"][0]["deliveries"] if one["channel"] == "slack_bot"]
    assert said == ["refused for good: Slack refuses: channel_not_found"], said
    assert set(watched.kinds()) == set(rest), watched.kinds()


def mail_alone(watched, port, security):
    watched.configure(f"\n    mail: {{type: email, host: 127.0.0.1, port: {port}, security: {security}, "
                      f"from: alerts@acme.example, to: ada@acme.example}}\n", wait="0s", channels="")


def case_a_busy_mail_server(watched):
    smtp = FaultySmtp(["busy", "busy_at_data"])
    try:
        mail_alone(watched, smtp.port, "none")
        watched.start()
        watched.run(broken=True)
        watched.wait_until("the mail has come", lambda: smtp.mails)
        alerts = watched.server.wait_for("it is kept", "/api/v1/alerts", lambda body: not body["items"][0]["owed"])
    finally:
        smtp.close()
    assert len(smtp.mails) == 1, smtp.mails
    errors = [one["error"] for one in alerts["items"][0]["deliveries"]]
    assert "421" in errors[0] and "451" in errors[1] and errors[2] is None, errors


def case_nothing_in_the_clear(watched):
    """Where STARTTLS was stripped, or is refused, no mail goes out."""
    smtp = FaultySmtp(["no_tls", "tls_454"] * 100)
    try:
        mail_alone(watched, smtp.port, "starttls")
        watched.start()
        watched.run(broken=True)
        alerts = watched.server.wait_for("it was tried twice", "/api/v1/alerts", lambda body: body["items"] and
                                         len(body["items"][0]["deliveries"]) >= 2)
    finally:
        smtp.close()
    for one in alerts["items"][0]["deliveries"]:
        assert "does not go on in TLS" in one["error"], alerts
    assert alerts["items"][0]["owed"], "it is not given up"
    assert not smtp.mails and not [line for line in smtp.commands if re.match("MAIL|RCPT|DATA|AUTH", line)], smtp


def case_mail_over_tls_and_a_wrong_password(watched):
    mailbox = Mailbox(watched.server.folder, "--tls")
    try:
        mail = (f"host: 127.0.0.1, port: {mailbox.port}, security: tls, ca_file: {mailbox.certificate}, user: ada, "
                "from: alerts@acme.example, to: ada@acme.example")
        watched.configure(f"\n    good: {{type: email, {mail}, password: lovelace}}\n"
                          f"    bad: {{type: email, {mail}, password: opensesame}}\n"
                          f"    nobody: {{type: email, {mail.replace('to: ada', 'to: nobody')}, "
                          "password: lovelace}\n",
                          channels="")
        good = watched.server.command("alerts", "test", "good")
        assert good.returncode == 0 and "delivered to 1 address at acme.example" in good.stdout, good
        bad = watched.server.command("alerts", "test", "bad")
        assert bad.returncode == 1 and "535" in bad.stderr and "opensesame" not in bad.stderr, bad
        nobody = watched.server.command("alerts", "test", "nobody")
        assert nobody.returncode != 0 and "550" in nobody.stderr, nobody
    finally:
        mailbox.close()
    assert [mail["encrypted"] for mail in mailbox.mails] == [True], mailbox.mails


def case_by_hand(watched):
    """What people do: look, mute, try a channel out, by the API and by the command line."""
    watched.configure(wait="0s", channels='\n    webhook: {{url: "{url}/hook", key: hooksesame}}\n')
    watched.start()
    tested = watched.server.post("/api/v1/alert-channels/webhook/test")
    assert tested == {"ok": True, "error": None, "note": None}, tested
    watched.receivers.faults = {"webhook": [(500, {}, "")]}
    assert not watched.server.post("/api/v1/alert-channels/webhook/test")["ok"]
    watched.server.post("/api/v1/alert-channels/none/test", expect=(404,))
    watched.receivers.taken.clear()
    watched.run(broken=True)
    watched.wait_until("it is told", lambda: watched.kinds() == {"webhook": ["fired"]})
    listed = json.loads(watched.server.command("alerts", "ls", "--json", "--server", watched.server.url).stdout)
    assert [item["title"] for item in listed] == ["Flow orders failed, in task load"], listed
    number = listed[0]["id"]
    muted = watched.server.command("alerts", "mute", number, "--until", "1h", "--server", watched.server.url)
    assert muted.returncode == 0, muted
    assert [item["state"] for item in watched.server.get("/api/v1/alerts?state=muted")["items"]] == ["muted"]
    assert not watched.server.get("/api/v1/alerts?state=firing,resolved")["items"]
    watched.server.post(f"/api/v1/alerts/{number}/mute", {"until": None})
    assert watched.server.get("/api/v1/alerts")["items"][0]["state"] == "firing"
    watched.server.post("/api/v1/alerts/none/mute", {"until": None}, expect=(404,))
    watched.run(broken=False)
    watched.wait_until("its end is told", lambda: watched.kinds() == {"webhook": ["fired", "resolved"]})


def case_what_flows_tell_of(watched):
    """Late though it never began, waiting for somebody, rows in quarantine: each told with its page, and its end."""
    watched.configure(channels='\n    webhook: {{url: "{url}/hook", key: hooksesame}}\n')
    project = watched.server.folder / "shaduf.yml"
    text = project.read_text(encoding="utf-8")
    rules = "  rules: [{wait: 0s, group_by: [kind, flow]}]\n"
    project.write_text(text[:text.index("  rules:")] + rules, encoding="utf-8")
    watched.server.write("in/rows.csv", "id,amount\n1,5\n,7\n")
    watched.server.write("pipelines/sales.yml", "source: {type: files, path: in, files: '*.csv'}\nsink: warehouse\n"
                                                "streams:\n  sales:\n    expect: [{not_null: [id]}]\n")
    watched.server.write("flows/asked.yml", "tasks:\n  ship: {shell: 'true', approval: true}\n")
    watched.server.write("flows/never.yml", "stale_after: 1s\ntasks:\n  rest: {shell: 'true'}\n")
    watched.start()
    told = lambda kind: {message["title"]: message for said, message in  # noqa: E731
                         watched.receivers.taken.get("webhook", []) if said == kind}
    run = watched.server.post("/api/v1/flows/asked/runs")["run"]
    watched.server.post("/api/v1/flows/sales/runs")
    expected = {"Task ship of flow asked waits for approval", "1 row of flow sales is in quarantine"}
    watched.wait_until("all is told", lambda: expected <= set(told("fired")) and
                       any(title.startswith("Flow never is late") for title in told("fired")))
    links = {message["matters"][0]["link"].partition("acme.example")[2] for message in told("fired").values()}
    assert links == {f"/runs/{run}?task=ship", "/quality/quarantine?pipeline=sales", "/flows/never"}, links
    watched.server.write("in/rows.csv", "id,amount\n3,5\n4,7\n")
    watched.server.post(f"/api/v1/runs/{run}/tasks/ship/approve", {"yes": True})
    watched.server.post("/api/v1/flows/never/runs")
    watched.server.post("/api/v1/flows/sales/runs")
    watched.wait_until("all ends are told", lambda: expected <= set(told("resolved")) and len(told("fired")) == 3)


def case_sns_as_moto_has_it(watched):
    """The topic, and a queue that subscribes to it, are those of a server that others wrote."""
    if not (HERE.parents[1] / ".deps/moto/bin/moto_server").exists():
        raise Skipped("skipped: moto is not installed; run scripts/setup --extras")
    aws = S3Server()

    def ask(service, **params):
        scope = f"20260101/us-east-1/{service}/aws4_request"
        who = f"AWS4-HMAC-SHA256 Credential=key/{scope}, SignedHeaders=host, Signature=0"
        request = urllib.request.Request(aws.url + "/", urllib.parse.urlencode(params).encode(), {"Authorization": who})
        return urllib.request.urlopen(request, timeout=30).read().decode()

    try:
        topic = re.search("<TopicArn>(.*?)<", ask("sns", Action="CreateTopic", Name="alerts"))[1]
        queue = re.search("<QueueUrl>(.*?)<", ask("sqs", Action="CreateQueue", QueueName="inbox"))[1]
        ask("sns", Action="Subscribe", TopicArn=topic, Protocol="sqs",
            Endpoint=topic.replace(":sns:", ":sqs:").replace("alerts", "inbox"))
        options = f"type: sns, topic: '{topic}', access_key: a2345, secret_key: b2345, base_url: '{aws.url}'"
        watched.configure(f"\n    good: {{{options}}}\n    gone: {{{options.replace('alerts', 'gone')}}}\n",
                          channels="")
        good = watched.server.command("alerts", "test", "good")
        assert good.returncode == 0, good
        gone = watched.server.command("alerts", "test", "gone")
        assert gone.returncode == 2 and "NotFound" in gone.stderr, gone
        got = html.unescape(ask("sqs", Action="ReceiveMessage", QueueUrl=queue))
        message = json.loads(re.search("<Body>(.*?)</Body>", got, re.DOTALL)[1])
    finally:
        aws.stop()
    assert message["Subject"] == "[acme, dev] A message of trial from shaduf; nothing is wrong", message
    assert message["MessageAttributes"]["kind"]["Value"] == "test", message


CASES = {name[5:]: value for name, value in globals().items() if name.startswith("case_")}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return
    shaduf = os.path.abspath(sys.argv[1])
    for name in sys.argv[2:] or CASES:
        with tempfile.TemporaryDirectory(prefix="shaduf-alerts-") as folder:
            watched = Watched(shaduf, folder)
            try:
                CASES[name](watched)
                print("ok", name, flush=True)
            except Skipped as skipped:
                print(skipped)
                if sys.argv[2:]:
                    sys.exit(77)
            finally:
                if sys.exc_info()[0] is not None and watched.server.process is not None:
                    watched.server.process.kill()
                    print("\n".join(watched.server.process.communicate(timeout=PATIENCE)), file=sys.stderr)
                    watched.server.process = None
                watched.close()


if __name__ == "__main__":
    main()
