"""What tests ask of Kafka's brokers that no program at hand asks: four requests of the protocol, written out.

Offsets and names of fields are those of the protocol's own description (kafka.apache.org/protocol).
"""
import socket
import struct

CREATE_TOPICS, CREATE_PARTITIONS, METADATA, OFFSET_FETCH = 19, 37, 3, 9
TOPIC_ALREADY_EXISTS = 36
NO_COORDINATOR_YET = (14, 15, 16)
TIMEOUT_MS = 30_000


class KafkaRefusal(OSError):
    """A broker's error; `code` is the protocol's."""

    def __init__(self, what, code, message):
        super().__init__(f"{what}: error {code}: {message}")
        self.code = code


def text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        length = self.number("h")
        if length < 0:
            return None
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def array(self, read):
        return [read() for _ in range(max(self.number("i"), 0))]


class KafkaAdmin:
    """Asks the first of `addresses` that answers; a connection a request."""

    def __init__(self, addresses):
        self.addresses = addresses

    def ask(self, key, version, body):
        failure = OSError("no broker runs")
        for address in self.addresses:
            try:
                return Reader(self.exchange(address, struct.pack(">hhi", key, version, 1) + text("tests") + body))
            except OSError as error:
                failure = error
        raise failure

    @staticmethod
    def exchange(address, request):
        with socket.create_connection(address, timeout=TIMEOUT_MS / 1000) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            with connection.makefile("rb") as answers:
                head = answers.read(4)
                if len(head) < 4:
                    raise ConnectionError("broker closed the connection")
                return answers.read(struct.unpack(">i", head)[0])[4:]

    def metadata(self):
        """{"brokers": {node: port}, "topics": {name: {partition: leader}}}"""
        answer = self.ask(METADATA, 1, struct.pack(">i", -1))
        brokers = {}
        for _ in range(answer.number("i")):
            node = answer.number("i")
            answer.text()
            brokers[node] = answer.number("i")
            answer.text()
        answer.number("i")  # controller
        topics = {}
        for _ in range(answer.number("i")):
            answer.number("h")
            name = answer.text()
            answer.number("b")
            partitions = {}
            for _ in range(answer.number("i")):
                answer.number("h")
                partition = answer.number("i")
                partitions[partition] = answer.number("i")
                answer.array(lambda: answer.number("i"))
                answer.array(lambda: answer.number("i"))
            topics[name] = partitions
        return {"brokers": brokers, "topics": topics}

    def committed(self, group, topic, partitions):
        """{partition: offset}, of those that the group has committed; a cluster of one node."""
        numbers = struct.pack(f">i{partitions}i", partitions, *range(partitions))
        answer = self.ask(OFFSET_FETCH, 1, text(group) + struct.pack(">i", 1) + text(topic) + numbers)
        offsets = {}
        for _ in range(answer.number("i")):
            answer.text()
            for _ in range(answer.number("i")):
                partition, offset = answer.number("i"), answer.number("q")
                answer.text()
                code = answer.number("h")
                if code not in (0, *NO_COORDINATOR_YET):
                    raise KafkaRefusal(f"offsets of {group}", code, topic)
                if offset >= 0:
                    offsets[partition] = offset
        return offsets

    def create_topic(self, name, partitions, replication, config):
        body = struct.pack(">i", 1) + text(name) + struct.pack(">ihi", partitions, replication, 0)
        body += struct.pack(">i", len(config))
        for key, value in config.items():
            body += text(key) + text(str(value))
        answer = self.ask(CREATE_TOPICS, 4, body + struct.pack(">ib", TIMEOUT_MS, 0))
        answer.number("i")
        answer.number("i")
        self.refuse(f"create {answer.text()}", answer)

    def add_partitions(self, name, count):
        body = struct.pack(">i", 1) + text(name) + struct.pack(">ii", count, -1) + struct.pack(">ib", TIMEOUT_MS, 0)
        answer = self.ask(CREATE_PARTITIONS, 0, body)
        answer.number("i")
        answer.number("i")
        self.refuse(f"add partitions to {answer.text()}", answer)

    @staticmethod
    def refuse(what, answer):
        code = answer.number("h")
        if code != 0:
            raise KafkaRefusal(what, code, answer.text())
