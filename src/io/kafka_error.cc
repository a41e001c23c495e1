#include "io/kafka_error.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>

namespace shaduf {
namespace {

struct CodeRule {
    rd_kafka_resp_err_t code;
    ErrorKind kind;
    std::string_view advice = {};
};

constexpr std::string_view kCheckLogin = "check mechanism, username and password of the connection";
constexpr std::string_view kCheckToken =
    "check oauth_token_url, oauth_client_id and oauth_scope of the connection, and whether its tokens have run out";
constexpr std::string_view kCheckTls = "check security, ca_file and the client's certificate of the connection";
constexpr std::string_view kCheckTopic = "check its name, or create it";
constexpr std::string_view kFenced = "another process has taken over";

// Source: librdkafka's rdkafka.h (negative codes) and the error codes of the Kafka protocol (positive ones). Those that
// are not here pass by: brokers that are away, elections, rebalances.
constexpr CodeRule kRules[] = {
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, ErrorKind::auth, kCheckLogin},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ErrorKind::auth, kCheckLogin},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, ErrorKind::auth, "set a mechanism that the brokers offer"},
    {RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, ErrorKind::auth, "check security of the connection"},
    {RD_KAFKA_RESP_ERR__SSL, ErrorKind::auth, kCheckTls},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ErrorKind::auth, "grant the user READ and DESCRIBE of the topic"},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ErrorKind::auth, "grant the user READ of the group"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ErrorKind::auth, "grant the user what is named"},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ErrorKind::auth,
     "grant the user WRITE and DESCRIBE of the transactional id"},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_AUTHORIZATION_FAILED, ErrorKind::auth, "renew the token"},
    {RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_EXPIRED, ErrorKind::auth, "renew the token"},

    {RD_KAFKA_RESP_ERR__INVALID_ARG, ErrorKind::invalid_config},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ErrorKind::invalid_config, kCheckTopic},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ErrorKind::invalid_config, "check the numbers of its partitions"},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ErrorKind::invalid_config, kCheckTopic},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ErrorKind::invalid_config, "letters, digits, '.', '_' and '-' make a name"},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, ErrorKind::invalid_config},
    {RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, ErrorKind::invalid_config, "set partitions to 1 or more"},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, ErrorKind::invalid_config,
     "set replication to at most the number of brokers"},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT, ErrorKind::invalid_config},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ErrorKind::invalid_config, "ask who runs the brokers for what they allow"},
    {RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, ErrorKind::invalid_config, "set another group"},
    {RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, ErrorKind::invalid_config,
     "set session.timeout.ms to what the brokers allow"},
    {RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, ErrorKind::invalid_config,
     "the group has members of another kind: set another group"},
    {RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, ErrorKind::invalid_config},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, ErrorKind::invalid_config, "the brokers are too old, or too new"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, ErrorKind::invalid_config},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, ErrorKind::invalid_config, "the brokers are too old for it"},
    {RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, ErrorKind::invalid_config},

    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ErrorKind::too_large, "raise message.max.bytes, here and of the topic"},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, ErrorKind::too_large, "lower batch.size, or raise the topic's limit"},
    {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, ErrorKind::too_large},

    {RD_KAFKA_RESP_ERR__FENCED, ErrorKind::conflict, kFenced},
    {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, ErrorKind::conflict, kFenced},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, ErrorKind::conflict, kFenced},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, ErrorKind::conflict, kFenced},
    {RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED, ErrorKind::conflict, kFenced},
    {RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, ErrorKind::unavailable},

    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, ErrorKind::rate_limited},

    {RD_KAFKA_RESP_ERR__BAD_MSG, ErrorKind::bad_data},
    {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, ErrorKind::bad_data},
    {RD_KAFKA_RESP_ERR__NOENT, ErrorKind::bad_data},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, ErrorKind::bad_data, "a message is damaged on the broker's disk or on its way"},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, ErrorKind::bad_data, "a compacted topic takes no message without a key"},
    {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, ErrorKind::bad_data},
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, ErrorKind::bad_data},
    {RD_KAFKA_RESP_ERR__NO_OFFSET, ErrorKind::bad_data},

    {RD_KAFKA_RESP_ERR__STATE, ErrorKind::internal},
    {RD_KAFKA_RESP_ERR__CONFLICT, ErrorKind::internal},
    {RD_KAFKA_RESP_ERR__IN_PROGRESS, ErrorKind::internal},
    {RD_KAFKA_RESP_ERR__INCONSISTENT, ErrorKind::internal},
    {RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, ErrorKind::exhausted, "free memory, or raise the limit of threads"},
};

const CodeRule* rule_of(int code) {
    const auto* found = std::find_if(std::begin(kRules), std::end(kRules),
                                     [&](const CodeRule& rule) { return static_cast<int>(rule.code) == code; });
    return found == std::end(kRules) ? nullptr : found;
}

// The other side's reasons to end a TLS connection that are of the certificates or the protocol (RFC 8446, 6.2).
bool is_refusal_of_tls(std::string_view reason) {
    constexpr std::string_view kAlert = "SSL alert number ";
    constexpr int kRefusals[] = {40, 42, 43, 44, 45, 46, 47, 48, 49, 70, 71, 116, 120};
    const size_t at = reason.find(kAlert);
    if (at == std::string_view::npos) return false;
    int number = 0;
    std::from_chars(reason.data() + at + kAlert.size(), reason.data() + reason.size(), number);
    return std::find(std::begin(kRefusals), std::end(kRefusals), number) != std::end(kRefusals);
}

// Before 2.6.1 the library's answer has the client's nonce twice, which brokers refuse since Kafka 3.7.2
// (confluentinc/librdkafka#4895).
bool is_too_old_for_scram(std::string_view reason) {
    constexpr int kMended = 0x020601ff;
    return rd_kafka_version() < kMended && reason.find("mechanism SCRAM") != std::string_view::npos;
}

}  // namespace

ErrorKind kafka_error_kind(int code) {
    const CodeRule* rule = rule_of(code);
    return rule == nullptr ? ErrorKind::unavailable : rule->kind;
}

Error kafka_error(int code, std::string_view what, std::string_view detail) {
    const CodeRule* rule = rule_of(code);
    std::string message(what);
    message += ": ";
    message += detail.empty() ? std::string_view(rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code))) : detail;
    if (rule != nullptr && !rule->advice.empty()) {
        message += "; ";
        message += rule->advice;
    }
    return Error(rule == nullptr ? ErrorKind::unavailable : rule->kind, std::move(message));
}

std::string_view kafka_reason(std::string_view reason) { return reason.substr(0, reason.find(" (after ")); }

std::optional<Error> kafka_refusal(int code, std::string_view reason) {
    constexpr std::string_view kWhat = "brokers let nobody in";
    reason = kafka_reason(reason);
    if (is_refusal_of_tls(reason)) return kafka_error(RD_KAFKA_RESP_ERR__SSL, kWhat, reason);
    if (kafka_error_kind(code) != ErrorKind::auth) return std::nullopt;
    // RFC 7628, 3.2.2: what a server says to a token is JSON.
    if (reason.find("{\"status\":") != std::string_view::npos) {
        return Error(ErrorKind::auth,
                     std::string(kWhat) + ": " + std::string(reason) + "; " + std::string(kCheckToken));
    }
    Error refusal = kafka_error(code, kWhat, reason);
    if (!is_too_old_for_scram(reason)) return refusal;
    return Error(ErrorKind::auth, refusal.message() + ", and build with librdkafka 2.6.1 or later: this one, " +
                                      rd_kafka_version_str() + ", cannot sign in by SCRAM to newer brokers");
}

}  // namespace shaduf
