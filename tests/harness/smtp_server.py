#!/usr/bin/python3
"""A real mail server, aiosmtpd, for tests: smtp_server.py CERT KEY [--tls]

Says its port, then each mail as a line of JSON: from, to, text, whether the connection was encrypted and who had signed
in. It takes ada with the password lovelace, and nobody in the clear. Ends when its input ends. Status 77 when aiosmtpd
is not installed: scripts/setup --extras.
"""
import json
import logging
import ssl
import sys
import warnings

try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    print("skipped: python3-aiosmtpd is not installed; run scripts/setup --extras")
    sys.exit(77)


class Mailbox:
    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802, by the library
        if address.startswith("nobody@"):
            return "550 no such user here: " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        signed_in = session.auth_data.login.decode() if session.authenticated else ""
        mail = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "signed_in": signed_in,
                "encrypted": session.ssl is not None or "--tls" in sys.argv,
                "text": envelope.content.decode("ascii")}
        print(json.dumps(mail), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = data is not None and (data.login, data.password) == (b"ada", b"lovelace")
    return AuthResult(success=good, handled=good, auth_data=data)


class FreePort(Controller):
    """On whatever port the system gives; the library would have to know it before."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def main():
    warnings.simplefilter("ignore")  # what the library says of itself
    logging.disable()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    rules = {"authenticator": authenticate, "auth_required": True, "server_hostname": "mail.acme.example"}
    if "--tls" in sys.argv:
        rules["auth_require_tls"] = False  # it is all encrypted
        server = FreePort(Mailbox(), hostname="127.0.0.1", port=0, ssl_context=context, **rules)
    else:
        server = FreePort(Mailbox(), hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True, **rules)
    server.start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
