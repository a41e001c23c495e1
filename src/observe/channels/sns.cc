// AWS SNS: Publish to a topic, signed. FIFO topics drop a repetition of the same message by its deduplication id.
#include "base/text.h"
#include "io/crypto.h"
#include "io/sigv4.h"
#include "io/url.h"
#include "observe/channel_http.h"
#include "observe/channel_text.h"

namespace shaduf::observe {
namespace {

constexpr size_t kSubjectMax = 100;
constexpr size_t kMessageMax = 250'000;  // SNS takes 256 KB

constexpr FieldSpec kFields[] = {
    {.name = "topic",
     .help = "The ARN of the topic.",
     .required = true,
     .example = "arn:aws:sns:eu-central-1:1:alerts"},
    {.name = "access_key", .help = "The id of the access key.", .required = true, .secret = true},
    {.name = "secret_key", .help = "The secret access key.", .required = true, .secret = true},
    {.name = "session_token", .help = "Of credentials for a time.", .secret = true},
    {.name = "region", .help = "The topic's own unless given."},
    {.name = "base_url", .help = "Where SNS is; that of the region unless given."},
};

// "eu-central-1" of "arn:aws:sns:eu-central-1:123456789012:name"; "" when it is no such name.
std::string region_of(const std::string& topic) {
    const auto parts = split(topic, ':');
    return parts.size() == 6 && parts[0] == "arn" && parts[2] == "sns" ? std::string(parts[3]) : "";
}

std::string ascii(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0U) == 0x80U) continue;  // of a character that has begun
        out += byte < 0x80U ? c : '?';
    }
    return out;
}

// The text of an element, wherever it stands.
std::string element(std::string_view xml, const std::string& name) {
    const size_t begin = xml.find("<" + name + ">");
    const size_t end = begin == std::string_view::npos ? begin : xml.find("</" + name + ">", begin);
    if (end == std::string_view::npos) return "";
    return std::string(xml.substr(begin + name.size() + 2, end - begin - name.size() - 2));
}

bool is_throttle(std::string_view code) {
    constexpr std::string_view kThose[] = {
        "Throttled",    "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException",
        "KMSThrottling"};
    return std::find(std::begin(kThose), std::end(kThose), code) != std::end(kThose);
}

bool is_of_credential(std::string_view code) {
    constexpr std::string_view kThose[] = {
        "AuthorizationError", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken",
        "AccessDenied",       "InvalidSecurity",      "ExpiredTokenException", "MissingAuthenticationToken"};
    return std::find(std::begin(kThose), std::end(kThose), code) != std::end(kThose);
}

class Sns final : public Channel {
public:
    Sns(const Options& options, std::string region)
        : topic_(options.text("topic")),
          region_(std::move(region)),
          url_(options.has("base_url") ? options.text("base_url") : "https://sns." + region_ + ".amazonaws.com/"),
          credentials_{options.text("access_key"), options.text("secret_key"), options.text("session_token")} {}

    SendOutcome send(RunContext& run, const AlertMessage& message) override {
        HttpRequest request;
        request.method = "POST";
        request.url = url_.ends_with('/') ? url_ : url_ + "/";
        request.body = format_query(params_of(message));
        request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
        sign_sigv4(request, credentials_, {region_, "sns", SigV4Path::encoded_again, SigV4Dialect::amazon},
                   to_hex(sha256(request.body)), run.clock.now());
        const auto reply = post(run, request.url, request.headers, request.body);
        if (!reply.response) return reply.failure;
        const HttpResponse& response = *reply.response;
        if (response.status < 300) {
            const std::string id = element(response.text(), "MessageId");
            if (!id.empty()) return SendOutcome::delivered(id);
            return SendOutcome::failed(Error(ErrorKind::unavailable, "SNS's answer is none of its API"), true);
        }
        const std::string code = element(response.text(), "Code");
        SendOutcome outcome = refusal(run, "SNS", response, code + ": " + element(response.text(), "Message"));
        if (is_throttle(code)) outcome.error = Error(ErrorKind::rate_limited, outcome.error->message());
        if (is_of_credential(code)) outcome.error = Error(ErrorKind::auth, outcome.error->message());
        return outcome;
    }

private:
    QueryParams params_of(const AlertMessage& message) const {
        QueryParams params = {{"Action", "Publish"},
                              {"Version", "2010-03-31"},
                              {"TopicArn", topic_},
                              {"Subject", shorten(ascii(headline_of(message)), kSubjectMax)},
                              {"Message", shorten(plain_text_of(message), kMessageMax)}};
        const std::pair<const char*, std::string> attributes[] = {{"kind", std::string(to_string(message.kind))},
                                                                  {"severity", std::string(word_of(message.severity))},
                                                                  {"alert", message.incident}};
        for (size_t i = 0; i < std::size(attributes); ++i) {
            const std::string entry = "MessageAttributes.entry." + std::to_string(i + 1) + ".";
            params.emplace_back(entry + "Name", attributes[i].first);
            params.emplace_back(entry + "Value.DataType", "String");
            params.emplace_back(entry + "Value.StringValue", attributes[i].second);
        }
        if (topic_.ends_with(".fifo")) {
            params.emplace_back("MessageGroupId", message.incident);
            params.emplace_back("MessageDeduplicationId", message.id());
        }
        return params;
    }

    const std::string topic_;
    const std::string region_;
    const std::string url_;
    const AwsCredentials credentials_;
};

Result<std::unique_ptr<Channel>> make(const Options& options) {
    const std::string region = options.has("region") ? options.text("region") : region_of(options.text("topic"));
    if (region.empty()) {
        return options.error(
            "topic", "not the ARN of a topic of SNS, arn:aws:sns:REGION:ACCOUNT:NAME: " + options.text("topic"));
    }
    if (options.has("base_url")) TRY(check_url(options, "base_url"));
    return std::make_unique<Sns>(options, region);
}

std::string address(const Options& options) {
    const std::string topic = options.text("topic");
    return topic.substr(topic.rfind(':') + 1);
}

}  // namespace
}  // namespace shaduf::observe

namespace shaduf {

extern const observe::ChannelSpec channel_sns;
const observe::ChannelSpec channel_sns{.name = "sns",
                                       .summary = "A topic of AWS SNS, from where it goes on to what subscribes to it.",
                                       .fields = observe::kFields,
                                       .per_minute = 300,
                                       .make = observe::make,
                                       .address = observe::address};

}  // namespace shaduf
