"""Listeners of a broker that want to know who comes, and what a client needs for them: certificates, users, tokens."""
import base64
import json
import pathlib
import subprocess
import time

USER, PASSWORD = "ada", "lovelace"
AUDIENCE = "kafka"
SECURITY = "org.apache.kafka.common.security"
LISTENERS = {"TLS": "SSL", "MTLS": "SSL", "PLAIN": "SASL_PLAINTEXT", "SCRAM": "SASL_SSL", "OAUTH": "SASL_PLAINTEXT"}
YEAR = 365 * 86_400


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=True,
                          timeout=60).stdout


def web_text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Security:
    """What stands in `folder`: an authority with the certificates it signed, another one that signed none, and the key
    of who gives tokens."""

    def __init__(self, folder, free_port):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.ports = {listener: free_port() for listener in LISTENERS}
        self.authority("ca")
        self.authority("other_ca")
        self.certificate("broker", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.certificate("client", "extendedKeyUsage=clientAuth")
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.file("token.key"))
        self.write_key_set()
        # Kafka wants key and certificates in one file.
        store = self.file("broker.key").read_text() + self.file("broker.crt").read_text()
        self.file("broker.pem").write_text(store + self.file("ca.crt").read_text(), encoding="ascii")

    def file(self, name):
        return self.folder / name

    def make_key(self, name):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.file(f"{name}.key"))

    def authority(self, name):
        self.make_key(name)
        openssl("req", "-x509", "-new", "-key", self.file(f"{name}.key"), "-days", 30, "-subj", f"/CN={name}", "-out",
                self.file(f"{name}.crt"))

    def certificate(self, name, extension):
        self.make_key(name)
        request = openssl("req", "-new", "-key", self.file(f"{name}.key"), "-subj", f"/CN={name}")
        self.file("extensions").write_text(extension + "\n", encoding="ascii")
        signed = openssl("x509", "-req", "-CA", self.file("ca.crt"), "-CAkey", self.file("ca.key"), "-CAcreateserial",
                         "-days", 30, "-extfile", self.file("extensions"), given=request)
        self.file(f"{name}.crt").write_bytes(signed)

    def write_key_set(self):
        said = openssl("rsa", "-in", self.file("token.key"), "-noout", "-modulus").decode()
        modulus = said.strip().partition("=")[2]
        keys = {"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "e": "AQAB",
                          "n": web_text(bytes.fromhex(modulus))}]}
        self.file("keys.json").write_text(json.dumps(keys), encoding="ascii")

    def token(self, lives=YEAR):
        """A signed JWT of the user; of `lives` below zero it has run out."""
        now = int(time.time())
        claims = {"sub": USER, "aud": AUDIENCE, "iat": now - YEAR, "exp": now + lives, "scope": "kafka"}
        parts = [web_text(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "1"}, claims)]
        signed = ".".join(parts).encode()
        signature = openssl("dgst", "-sha256", "-sign", self.file("token.key"), given=signed)
        return f"{signed.decode()}.{web_text(signature)}"

    # ---- for the broker

    def listeners(self):
        return "".join(f",{name}://127.0.0.1:{port}" for name, port in self.ports.items())

    def protocols(self):
        return "".join(f",{name}:{protocol}" for name, protocol in LISTENERS.items())

    def settings(self):
        def login(module, options=""):
            return f"{SECURITY}.{module} required{options};"
        return {"ssl.keystore.type": "PEM", "ssl.keystore.location": self.file("broker.pem"),
                "ssl.truststore.type": "PEM", "ssl.truststore.location": self.file("ca.crt"),
                "listener.name.mtls.ssl.client.auth": "required",
                "listener.name.plain.sasl.enabled.mechanisms": "PLAIN",
                "listener.name.plain.plain.sasl.jaas.config":
                    login("plain.PlainLoginModule", f' user_{USER}="{PASSWORD}"'),
                "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
                "listener.name.scram.scram-sha-256.sasl.jaas.config": login("scram.ScramLoginModule"),
                "listener.name.scram.scram-sha-512.sasl.jaas.config": login("scram.ScramLoginModule"),
                "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
                "listener.name.oauth.oauthbearer.sasl.jaas.config": login("oauthbearer.OAuthBearerLoginModule"),
                "listener.name.oauth.oauthbearer.sasl.server.callback.handler.class":
                    f"{SECURITY}.oauthbearer.OAuthBearerValidatorCallbackHandler",
                "sasl.oauthbearer.jwt.validator.class": f"{SECURITY}.oauthbearer.BrokerJwtValidator",
                "sasl.oauthbearer.jwks.endpoint.url": self.file("keys.json").as_uri(),
                "sasl.oauthbearer.expected.audience": AUDIENCE}

    def java_options(self):
        return [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.file('keys.json').as_uri()}"]

    @staticmethod
    def format_options():
        return [part for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
                for part in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")]

    # ---- for tests

    def values(self):
        """By the names that tests have for them."""
        found = {f"KAFKA_{name}": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        found.update(KAFKA_CA=str(self.file("ca.crt")), KAFKA_OTHER_CA=str(self.file("other_ca.crt")),
                     KAFKA_CERTIFICATE=str(self.file("client.crt")), KAFKA_KEY=str(self.file("client.key")),
                     KAFKA_TOKEN=self.token(), KAFKA_OLD_TOKEN=self.token(-3600))
        return found
