// What the benchmark of streams needs besides shaduf, by librdkafka alone:
//
// kafka_peer fill BROKERS TOPIC FILE          writes the lines of a file as messages, in turn into all partitions; a
//                                             message has the time that its line says
// kafka_peer discard BROKERS TOPIC COUNT      reads so many messages and throws them away: how fast reading can be
// kafka_peer trickle BROKERS TOPIC RATE SECONDS
//                                             writes {"id": n, "sent_us": microseconds since 1970} evenly over time
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Properties = std::vector<std::pair<const char*, std::string>>;

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "kafka_peer: error: %s\n", why.c_str());
    std::exit(1);
}

rd_kafka_t* open_client(rd_kafka_type_t type, const Properties& properties) {
    std::array<char, 512> message{};
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    for (const auto& [name, value] : properties) {
        if (rd_kafka_conf_set(conf, name, value.c_str(), message.data(), message.size()) != RD_KAFKA_CONF_OK)
            fail(message.data());
    }
    rd_kafka_t* client = rd_kafka_new(type, conf, message.data(), message.size());
    if (client == nullptr) fail(message.data());
    return client;
}

int partitions_of(rd_kafka_t* client, const std::string& topic) {
    constexpr int kWaitMs = 20'000;
    rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error = rd_kafka_metadata(client, 0, handle, &metadata, kWaitMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(rd_kafka_err2str(error));
    const int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    if (count == 0) fail("topic has no partitions: " + topic);
    return count;
}

class Writer {
public:
    Writer(const std::string& brokers, const std::string& topic)
        : client_(open_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                                  {"enable.idempotence", "true"},
                                                  {"compression.codec", "lz4"},
                                                  {"log_level", "3"},
                                                  {"linger.ms", "20"},
                                                  {"batch.size", "1000000"},
                                                  {"queue.buffering.max.messages", "1000000"}})),
          partitions_(partitions_of(client_, topic)),
          topic_(rd_kafka_topic_new(client_, topic.c_str(), nullptr)) {}
    ~Writer() {
        constexpr int kWaitMs = 60'000;
        if (rd_kafka_flush(client_, kWaitMs) != RD_KAFKA_RESP_ERR_NO_ERROR) fail("messages could not be written");
        rd_kafka_topic_destroy(topic_);
        rd_kafka_destroy(client_);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // `time_ms` since 1970; 0 is now.
    void write(std::string_view line, int64_t time_ms = 0) {
        constexpr int kWaitMs = 100;
        const int partition = next_++ % partitions_;
        for (;;) {
            const auto error = rd_kafka_producev(client_, RD_KAFKA_V_RKT(topic_), RD_KAFKA_V_PARTITION(partition),
                                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                                 RD_KAFKA_V_VALUE(const_cast<char*>(line.data()), line.size()),
                                                 RD_KAFKA_V_TIMESTAMP(time_ms), RD_KAFKA_V_END);
            if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
            if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail(rd_kafka_err2str(error));
            rd_kafka_poll(client_, kWaitMs);
        }
        if (next_ % 4096 == 0) rd_kafka_poll(client_, 0);
    }
    // A millisecond.
    void wait() { rd_kafka_poll(client_, 1); }

private:
    rd_kafka_t* const client_;
    const int partitions_;
    rd_kafka_topic_t* const topic_;
    int next_ = 0;
};

int number_at(std::string_view text, size_t from, size_t digits) {
    int number = 0;
    for (const char digit : text.substr(from, digits)) number = number * 10 + (digit - '0');
    return number;
}

// Milliseconds since 1970 of {"timestamp":"2023-10-01T12:30:59Z", ...}
int64_t time_of(std::string_view line) {
    using namespace std::chrono;
    constexpr std::string_view kBegin = R"({"timestamp":")";
    if (!line.starts_with(kBegin) || line.size() < kBegin.size() + 20) fail("not an event: " + std::string(line));
    const std::string_view text = line.substr(kBegin.size(), 20);
    const sys_days date = year(number_at(text, 0, 4)) / number_at(text, 5, 2) / number_at(text, 8, 2);
    const auto time =
        date + hours(number_at(text, 11, 2)) + minutes(number_at(text, 14, 2)) + seconds(number_at(text, 17, 2));
    return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

void fill(const std::string& brokers, const std::string& topic, const char* path) {
    const int file = open(path, O_RDONLY);
    struct stat info {};
    if (file < 0 || fstat(file, &info) != 0) fail(std::string("cannot read ") + path);
    const auto size = static_cast<size_t>(info.st_size);
    void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (memory == MAP_FAILED) fail(std::string("cannot read ") + path);
    std::string_view rest(static_cast<const char*>(memory), size);
    Writer writer(brokers, topic);
    while (!rest.empty()) {
        const size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        writer.write(line, time_of(line));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    munmap(memory, size);
    close(file);
}

void discard(const std::string& brokers, const std::string& topic, int64_t count) {
    constexpr int kWaitMs = 1000;
    rd_kafka_t* client = open_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                         {"group.id", "discard"},
                                                         {"enable.auto.commit", "false"},
                                                         {"fetch.wait.max.ms", "100"},
                                                         {"queued.max.messages.kbytes", "65536"}});
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t* wanted = rd_kafka_topic_partition_list_new(1);
    const int partitions = partitions_of(client, topic);
    for (int i = 0; i < partitions; ++i)
        rd_kafka_topic_partition_list_add(wanted, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(client, wanted);
    rd_kafka_topic_partition_list_destroy(wanted);
    rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(client);
    std::vector<rd_kafka_message_t*> messages(10'000);
    int64_t bytes = 0;
    for (int64_t left = count; left > 0;) {
        const ssize_t got = rd_kafka_consume_batch_queue(queue, kWaitMs, messages.data(), messages.size());
        if (got < 0) fail(rd_kafka_err2str(rd_kafka_last_error()));
        for (ssize_t i = 0; i < got; ++i) {
            rd_kafka_message_t* message = messages[static_cast<size_t>(i)];
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                bytes += static_cast<int64_t>(message->len);
                --left;
            }
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    std::printf("%lld messages, %lld bytes\n", static_cast<long long>(count), static_cast<long long>(bytes));
}

void trickle(const std::string& brokers, const std::string& topic, int rate, int seconds) {
    using std::chrono::microseconds;
    Writer writer(brokers, topic);
    const auto start = std::chrono::steady_clock::now();
    const int64_t count = static_cast<int64_t>(rate) * seconds;
    for (int64_t id = 0; id < count; ++id) {
        const auto due = start + microseconds(id * 1'000'000 / rate);
        while (std::chrono::steady_clock::now() < due) writer.wait();
        const auto now = std::chrono::duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch());
        writer.write("{\"id\":" + std::to_string(id) + ",\"sent_us\":" + std::to_string(now.count()) + "}");
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string verb = argc > 1 ? argv[1] : "";
    if (verb == "fill" && argc == 5) {
        fill(argv[2], argv[3], argv[4]);
    } else if (verb == "discard" && argc == 5) {
        discard(argv[2], argv[3], std::strtoll(argv[4], nullptr, 10));
    } else if (verb == "trickle" && argc == 6) {
        trickle(argv[2], argv[3], std::atoi(argv[4]), std::atoi(argv[5]));
    } else {
        fail(
            "usage: kafka_peer fill BROKERS TOPIC FILE | discard BROKERS TOPIC COUNT | trickle BROKERS TOPIC RATE "
            "SECONDS");
    }
}
