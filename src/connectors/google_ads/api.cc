#include "connectors/google_ads/api.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/clock.h"
#include "base/text.h"
#include "connectors/ads/settings.h"
#include "connectors/google_ads/cutter.h"
#include "connectors/google_ads/failure.h"
#include "io/crypto.h"
#include "io/url.h"

namespace shaduf::google_ads {
namespace {

using nlohmann::json;

constexpr int kTries = 5;
constexpr size_t kCustomerDigits = 10;
constexpr RetryPolicy kRetries;

// "123-456-7890" as the API has it.
Result<std::string> read_customer(const Options& connection, std::string_view field, std::string_view text) {
    std::string id;
    for (const char c : trim(text)) {
        if (c != '-') id += c;
    }
    const bool is_id = id.size() == kCustomerDigits && id.find_first_not_of("0123456789") == std::string::npos;
    if (!is_id)
        return connection.error(field, std::string(field) +
                                           ": expected the 10 digits of a Google Ads account, such as "
                                           "123-456-7890: " +
                                           std::string(text));
    return id;
}

// The JSON of a key file, or its path.
Result<void> read_service_account(const Options& connection, Credentials& credentials) {
    std::string text(trim(connection.text("service_account")));
    if (!text.starts_with('{')) {
        std::ifstream file(text);
        std::ostringstream all;
        all << file.rdbuf();
        if (!file) return connection.error("service_account", "service_account: key file cannot be read: " + text);
        text = all.str();
    }
    const json key = json::parse(text, nullptr, false);
    const auto member = [&](const char* name) {
        const bool has = key.is_object() && key.contains(name) && key[name].is_string();
        return has ? key[name].get<std::string>() : std::string();
    };
    credentials.service_email = member("client_email");
    credentials.private_key = member("private_key");
    if (credentials.service_email.empty() || credentials.private_key.empty())
        return connection.error("service_account",
                                "service_account: no client_email and private_key in it; give the JSON key file of a "
                                "service account, or its path");
    return {};
}

std::string project_key(const Credentials& credentials) {
    std::string who = credentials.developer_token;
    if (who.empty()) who = credentials.service_email;
    // "<project number>-<rest>.apps.googleusercontent.com"
    if (who.empty()) who = credentials.client_id.substr(0, credentials.client_id.find('-'));
    return "google_ads:" + to_hex(sha256(who)).substr(0, 12);
}

FieldInfo read_field(const json& entry) {
    const auto text = [&](const char* name) {
        return entry.contains(name) && entry[name].is_string() ? entry[name].get<std::string>() : std::string();
    };
    const bool is_repeated =
        entry.contains("isRepeated") && entry["isRepeated"].is_boolean() && entry["isRepeated"].get<bool>();
    return {text("name"), text("category"), text("dataType"), is_repeated};
}

}  // namespace

Result<ApiSettings> ApiSettings::read(const Options& connection, const std::string& name) {
    ApiSettings settings;
    settings.connection = name;
    settings.base_url = connection.text("base_url");
    while (settings.base_url.ends_with('/')) settings.base_url.pop_back();
    auto base = Url::parse(settings.base_url);
    if (!base.ok()) return connection.error("base_url", base.error().message());
    settings.version = connection.text("api_version");
    if (!settings.version.starts_with('v')) settings.version = "v" + settings.version;
    if (settings.version.size() < 2 || settings.version.find_first_not_of("0123456789", 1) != std::string::npos)
        return connection.error("api_version", "api_version: expected one such as v26: " + settings.version);
    if (connection.has("login_customer_id"))
        settings.login_customer_id =
            TRY(read_customer(connection, "login_customer_id", connection.text("login_customer_id")));
    for (const std::string& id : connection.text_list("customer_ids"))
        settings.customer_ids.push_back(TRY(read_customer(connection, "customer_ids", id)));
    Credentials& credentials = settings.credentials;
    credentials.token_url = connection.text("token_url");
    credentials.developer_token = connection.text("developer_token");
    credentials.subject = connection.text("subject");
    if (connection.has("service_account")) {
        TRY(read_service_account(connection, credentials));
    } else {
        for (const char* field : {"client_id", "client_secret", "refresh_token"}) {
            if (connection.text(field).empty())
                return connection.error(field, std::string(field) +
                                                   " is missing; give client_id, client_secret and refresh_token of a "
                                                   "Google user, or service_account");
        }
        credentials.client_id = connection.text("client_id");
        credentials.client_secret = connection.text("client_secret");
        credentials.refresh_token = connection.text("refresh_token");
    }
    ads::set_timeouts(connection, settings.request);
    return settings;
}

Api::Api(RunContext& run, ApiSettings settings)
    : settings_(std::move(settings)),
      project_key_(project_key(settings_.credentials)),
      tokens_(shared_tokens(run, settings_.credentials)),
      client_(std::make_shared<Rules>(tokens_, settings_.credentials.developer_token, project_key_), kRetries) {}

HttpRequest Api::request(const std::string& path) const {
    HttpRequest request = settings_.request;
    request.url = settings_.base_url + "/" + settings_.version + "/" + path;
    return request;
}

// The account's first: what limits one account keeps no other waiting, and the project's is paused when all are
// limited.
std::vector<ads::RateKey> Api::keys(const std::string& customer) const {
    std::vector<ads::RateKey> keys;
    if (!customer.empty()) keys.push_back({account_key(project_key_, customer), {}});
    keys.push_back({project_key_, {}});
    return keys;
}

Result<HttpResponse> Api::post(RunContext& run, const std::string& path, const std::string& body) const {
    HttpRequest call = request(path);
    call.method = "POST";
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = body;
    return client_.send(run, call, keys(""));
}

// An error that came behind rows: the exchange is over, and the limit or token that it speaks of is seen to, so that
// asking again makes sense.
Error Api::stream_error(RunContext& run, const Asked& whom, std::string_view text) const {
    const auto failure = parse_failure("{\"error\":" + std::string(text) + "}");
    const ads::Judgement judgement = judge(run, failure.value_or(Failure()));
    const std::string message = judgement.message + " (behind rows of the same answer)";
    switch (judgement.verdict) {
        case ads::Verdict::unauthorized: tokens_->discard(tokens_->current()); break;
        case ads::Verdict::throttled:
            run.rates.pause(project_key_, run.clock.now() + judgement.wait.value_or(std::chrono::minutes(1)));
            break;
        case ads::Verdict::too_large: return Error(ErrorKind::too_large, message);
        case ads::Verdict::refused: return Error(judgement.kind, message + "; customer " + whom.customer);
        default: break;
    }
    const Error error(ErrorKind::unavailable, message);
    return judgement.verdict == ads::Verdict::transient && judgement.wait ? error.retry_after(*judgement.wait) : error;
}

std::optional<Interrupted> Api::stream(RunContext& run, const Asked& whom, const std::string& query,
                                       const OnRow& on_row) const {
    HttpRequest call = request("customers/" + whom.customer + "/googleAds:searchStream");
    call.method = "POST";
    call.headers.emplace_back("Content-Type", "application/json");
    if (!whom.login.empty()) call.headers.emplace_back("login-customer-id", whom.login);
    call.body = json{{"query", query}}.dump();

    std::optional<Error> own;  // of what was done with the rows, or said behind them
    const auto keep = [&](Result<void> done) {
        if (!done.ok()) own = done.error();
        return done;
    };
    StreamCutter cutter([&](std::string_view row) { return keep(on_row(row)); },
                        [&](std::string_view error) { return keep(stream_error(run, whom, error)); });
    bool brought_bytes = false;
    auto response = client_.stream(run, call, keys(whom.customer), [&](std::string_view bytes) {
        brought_bytes = brought_bytes || !bytes.empty();
        return cutter.feed(bytes);
    });
    if (own) return Interrupted{*own, true};
    if (!response.ok() && response.error().kind() == ErrorKind::bad_data)
        return Interrupted{Error(ErrorKind::unavailable, response.error().message()), true};
    if (!response.ok() && !brought_bytes) return Interrupted{response.error(), false};
    if (!response.ok()) {
        const bool was_cut = response.error().kind() == ErrorKind::unavailable;
        const Error& error = response.error();
        return Interrupted{was_cut ? Error(ErrorKind::unavailable, error.message()) : error, true};
    }
    if (cutter.complete()) return std::nullopt;
    return Interrupted{Error(ErrorKind::unavailable, "answer of searchStream ends before its list does"), true};
}

Result<std::vector<std::string>> Api::rows(RunContext& run, const Asked& whom, const std::string& query) const {
    for (int failures = 1;; ++failures) {
        std::vector<std::string> rows;
        const auto interrupted = stream(run, whom, query, [&](std::string_view row) -> Result<void> {
            rows.emplace_back(row);
            return {};
        });
        if (!interrupted) return rows;
        if (!interrupted->brought_bytes || failures >= kTries) return interrupted->why;
        TRY(wait_before_retry(run, kRetries, failures, interrupted->why));
    }
}

Result<std::vector<std::string>> Api::accessible_customers(RunContext& run) const {
    const auto response = TRY(client_.send(run, request("customers:listAccessibleCustomers"), keys("")));
    const json document = json::parse(response.text(), nullptr, false);
    if (!document.is_object())
        return Error(ErrorKind::bad_data,
                     "answer of customers:listAccessibleCustomers is no JSON object; check base_url");
    std::vector<std::string> ids;
    for (const json& name : document.value("resourceNames", json::array())) {
        const std::string text = name.is_string() ? name.get<std::string>() : "";
        if (text.starts_with("customers/")) ids.push_back(text.substr(std::string_view("customers/").size()));
    }
    return ids;
}

Result<std::vector<FieldInfo>> Api::search_fields(RunContext& run, const std::string& query) const {
    std::vector<FieldInfo> fields;
    std::string token;
    do {
        json body{{"query", query}};
        if (!token.empty()) body["pageToken"] = token;
        const auto response = TRY(post(run, "googleAdsFields:search", body.dump()));
        const json page = json::parse(response.text(), nullptr, false);
        if (!page.is_object())
            return Error(ErrorKind::bad_data, "answer of googleAdsFields:search is no JSON object; check base_url");
        const json results = page.value("results", json::array());
        for (const json& entry : results) {
            if (entry.is_object()) fields.push_back(read_field(entry));
        }
        const json next = page.value("nextPageToken", json());
        token = next.is_string() ? next.get<std::string>() : "";
    } while (!token.empty());
    return fields;
}

Result<std::vector<FieldInfo>> Api::fields(RunContext& run, const std::vector<std::string>& names) const {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
    const std::string query = "SELECT name, category, data_type, is_repeated, selectable WHERE name IN (" + list + ")";
    const std::string key = "google_ads fields " + settings_.base_url + " " + settings_.version + " " + query;
    const auto found = TRY(run.shared.get<std::vector<FieldInfo>>(key, [&] { return search_fields(run, query); }));
    return *found;
}

Result<std::vector<std::string>> Api::fields_below(RunContext& run, const std::string& prefix) const {
    const auto fields = TRY(search_fields(
        run, "SELECT name, category, data_type, is_repeated WHERE name LIKE '" + prefix + ".%' AND selectable = true"));
    std::vector<std::string> names;
    for (const FieldInfo& field : fields) names.push_back(field.name);
    return names;
}

}  // namespace shaduf::google_ads
