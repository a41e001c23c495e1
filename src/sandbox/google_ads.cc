#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "io/crypto.h"
#include "sandbox/frame/ledger.h"
#include "sandbox/google_ads/answers.h"
#include "sandbox/google_ads/query_run.h"
#include "sandbox/google_ads/row_json.h"
#include "sandbox/google_ads/truth.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox {
namespace {

namespace ga = google_ads;
using ga::Refusal;

constexpr std::string_view kClientId = "104200000000-sandbox.apps.googleusercontent.com";
constexpr std::string_view kClientSecret = "GOCSPX-sandbox-client-secret";
constexpr std::string_view kRefreshToken = "1//sandbox-refresh-token";
constexpr std::string_view kServiceEmail = "loader@sandbox.iam.gserviceaccount.com";
constexpr std::chrono::seconds kTokenLife{3599};
constexpr size_t kRowsOfElement = 1000;  // the API promises no more than 10,000
constexpr size_t kRowsOfPage = 10'000;
constexpr int kVersions[] = {23, 24, 25, 26};

constexpr FieldSpec kCutOptions[] = {
    {.name = "rows", .type = FieldType::integer, .help = "Rows that come before.", .default_value = "3"}};
constexpr FieldSpec kErrorOptions[] = {
    {.name = "type", .help = "The kind of code.", .default_value = "internalError"},
    {.name = "code", .help = "The code.", .default_value = "INTERNAL_ERROR"},
    {.name = "status", .type = FieldType::integer, .help = "The HTTP status.", .default_value = "500"},
    {.name = "retry_delay", .help = "What the error asks to wait, such as 2s."},
    {.name = "scope", .help = "Whose calls are limited: ACCOUNT or DEVELOPER."},
    {.name = "rows",
     .type = FieldType::integer,
     .help = "For error_behind_rows: rows that come before.",
     .default_value = "3"},
};
constexpr FaultSpec kFaults[] = {
    {"stream_cut", "The answer of searchStream ends in the middle of a row.", kCutOptions},
    {"error_behind_rows", "An element with an error follows good elements of searchStream.", kErrorOptions},
    {"api_error", "The API answers an error of its own.", kErrorOptions},
    {"invalid_grant", "The token endpoint refuses the refresh token.", {}},
};

Refusal refusal_of(const Fault& fault) {
    const Options& options = *fault.options;
    return {options.text("type"),
            options.text("code"),
            "Played by the scenario.",
            "",
            static_cast<int>(options.integer("status")),
            options.text("retry_delay"),
            options.text("scope")};
}

// "/v26/customers/1/googleAds:search": 26 and "customers/1/googleAds:search". 0: another path.
std::pair<int, std::string_view> version_of(std::string_view path) {
    if (!path.starts_with("/v")) return {0, {}};
    const auto slash = path.find('/', 1);
    if (slash == std::string_view::npos || slash < 3 || slash > 4) return {0, {}};
    int version = 0;
    for (const char c : path.substr(2, slash - 2)) {
        if (c < '0' || c > '9') return {0, {}};
        version = version * 10 + (c - '0');
    }
    return {version, path.substr(slash + 1)};
}

bool owns(std::string_view path) {
    if (path == "/token" || path == "/oauth2/v3/token") return true;
    const auto rest = version_of(path).second;
    return rest.starts_with("customers") || rest.starts_with("googleAdsFields");
}

class GoogleAds final : public Platform {
public:
    explicit GoogleAds(Environment& environment) : environment_(environment) {}

    HttpServerResponse answer(Call& call) override {
        if (call.request.path.ends_with("/token")) return answer_token(call);
        const auto [number, rest] = version_of(call.request.path);
        const std::string version = "v" + std::to_string(number);
        const bool is_stream = rest.ends_with(":searchStream");
        const auto refuse = [&](const Refusal& refusal) {
            return is_stream ? ga::stream_error_answer(refusal, version) : ga::error_answer(refusal, version);
        };
        if (const Fault* fault = call.fault("api_error")) return refuse(refusal_of(*fault));
        if (std::find(std::begin(kVersions), std::end(kVersions), number) == std::end(kVersions))
            return refuse({"requestError", "UNSUPPORTED_VERSION", "Version " + version + " is not served.", "", 404});
        if (!is_signed_in(call.request))
            return refuse({"authenticationError", "OAUTH_TOKEN_INVALID", "The access token is not valid.", "", 401});
        call.route = "/" + version + "/" + std::string(rest);
        if (rest == "customers:listAccessibleCustomers") return list_customers();
        const auto body = nlohmann::json::parse(call.request.body, nullptr, false);
        if (!body.is_object() || !body.contains("query") || !body["query"].is_string())
            return refuse({"requestError", "REQUIRED_FIELD_MISSING", "Required field was not present: query."});
        const std::string query = body["query"].get<std::string>();
        if (rest == "googleAdsFields:search") return ga::search_fields(query, version);
        return answer_customer(call, rest, version, query, body);
    }

    void reset() override {
        const std::lock_guard lock(mutex_);
        tokens_.clear();
    }

private:
    HttpServerResponse answer_token(Call& call) {
        call.route = call.request.path;
        const auto value = [&](std::string_view name) {
            for (const auto& [key, text] : call.request.form) {
                if (key == name) return text;
            }
            return std::string();
        };
        const auto refuse = [](const std::string& error, const std::string& description) {
            auto response =
                ga::json_answer(nlohmann::json{{"error", error}, {"error_description", description}}.dump());
            response.status = error == "invalid_client" ? 401 : 400;
            return response;
        };
        if (call.fault("invalid_grant") != nullptr)
            return refuse("invalid_grant", "Token has been expired or revoked.");
        const std::string grant = value("grant_type");
        if (grant == "refresh_token") {
            if (value("client_id") != kClientId || value("client_secret") != kClientSecret)
                return refuse("invalid_client", "The OAuth client was not found.");
            if (value("refresh_token") != kRefreshToken) return refuse("invalid_grant", "Bad Request");
        } else if (grant == "urn:ietf:params:oauth:grant-type:jwt-bearer") {
            if (!is_assertion(value("assertion"))) return refuse("invalid_grant", "Invalid JWT.");
        } else {
            return refuse("unsupported_grant_type", "Invalid grant_type: " + grant);
        }
        const std::lock_guard lock(mutex_);
        const std::string token = "ya29.sandbox-" + std::to_string(++made_);
        tokens_[token] = environment_.clock().now() + kTokenLife;
        return ga::json_answer(nlohmann::json{
            {"access_token", token},
            {"expires_in", kTokenLife.count()},
            {"scope", "https://www.googleapis.com/auth/adwords"},
            {"token_type",
             "Bearer"}}.dump());
    }

    // The claims are looked at; the signature is not, since nobody has told the sandbox a key.
    bool is_assertion(const std::string& text) const {
        const auto parts = split(text, '.');
        if (parts.size() != 3 || parts[2].empty()) return false;
        const auto claims_text = from_base64(parts[1]);
        if (!claims_text.ok()) return false;
        const auto claims = nlohmann::json::parse(claims_text.value(), nullptr, false);
        const auto now =
            std::chrono::duration_cast<std::chrono::seconds>(environment_.clock().now().time_since_epoch());
        return claims.is_object() && claims.value("iss", "") == kServiceEmail &&
               claims.value("scope", "").find("auth/adwords") != std::string::npos &&
               claims.value("exp", int64_t{0}) > now.count();
    }

    bool is_signed_in(const HttpServerRequest& request) {
        const std::string_view header = request.header("Authorization");
        if (!header.starts_with("Bearer ")) return false;
        const std::lock_guard lock(mutex_);
        const auto token = tokens_.find(std::string(header.substr(7)));
        return token != tokens_.end() && token->second > environment_.clock().now();
    }

    // The manager, and the first account, to which the user was invited by itself too.
    HttpServerResponse list_customers() const {
        const auto world = environment_.world();
        nlohmann::json names = {"customers/" + std::string(ga::kManagerId)};
        const auto& accounts = world->entities(Level::account);
        if (!accounts.empty()) names.push_back("customers/" + accounts.front().id);
        return ga::json_answer(nlohmann::json{{"resourceNames", names}}.dump());
    }

    std::optional<Refusal> check_customer(const World& world, const std::string& id, std::string_view login) const {
        const Entity* account = world.find(Level::account, id);
        const bool is_closed = id == ga::kClosedId;
        if (account == nullptr && id != ga::kManagerId && !is_closed)
            return Refusal{"authenticationError", "CUSTOMER_NOT_FOUND",
                           "No customer found for the provided customer id.", id, 401};
        const bool is_direct = id == ga::kManagerId || (account != nullptr && account->index == 0);
        const bool by_manager = login == ga::kManagerId;
        if (!by_manager && !(is_direct && (login.empty() || login == id)))
            return Refusal{"authorizationError", "USER_PERMISSION_DENIED",
                           "User doesn't have permission to access customer. Note: If you're accessing a client "
                           "customer, the manager's customer id must be set in the 'login-customer-id' header.",
                           "", 403};
        if (is_closed)
            return Refusal{
                "authorizationError", "CUSTOMER_NOT_ENABLED",
                "The customer account can't be accessed because it is not yet enabled or has been deactivated.", "",
                403};
        return std::nullopt;
    }

    HttpServerResponse answer_customer(Call& call, std::string_view rest, const std::string& version,
                                       const std::string& query, const nlohmann::json& body) {
        const auto parts = split(rest, '/');
        const bool is_stream = rest.ends_with("/googleAds:searchStream");
        const auto refuse = [&](const Refusal& refusal) {
            return is_stream ? ga::stream_error_answer(refusal, version) : ga::error_answer(refusal, version);
        };
        if (parts.size() != 3 || (parts[2] != "googleAds:searchStream" && parts[2] != "googleAds:search"))
            return refuse({"requestError", "UNKNOWN", "No such method.", "", 404});
        const std::string customer(parts[1]);
        call.account = customer;
        call.route = "/" + version + "/customers/{customer}/" + std::string(parts[2]);
        const auto world = environment_.world();
        if (const auto refusal = check_customer(*world, customer, call.request.header("login-customer-id")))
            return refuse(*refusal);
        if (const auto refusal = take_operation(call)) return refuse(*refusal);
        auto parsed = ga::parse_gaql(query, true);
        if (const auto* refusal = std::get_if<Refusal>(&parsed)) return refuse(*refusal);
        ga::Gaql& gaql = std::get<ga::Gaql>(parsed);
        if (const auto refusal = ga::check_query(gaql, *world, customer)) return refuse(*refusal);
        const ga::RowWriter writer(gaql, environment_.field_changes(gaql.resource));
        if (is_stream) return stream(call, ga::QueryRun(world, std::move(gaql), customer), writer, version);
        return page(ga::QueryRun(world, std::move(gaql), customer), writer, body, version);
    }

    // Every query is one operation of the day of the Cloud project.
    std::optional<Refusal> take_operation(Call& call) {
        const Verdict verdict = environment_.ledgers().take("project", Refill::by_window);
        if (verdict.allowed) return std::nullopt;
        call.refused = true;
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(verdict.reset_in).count();
        return Refusal{"quotaError",
                       "RESOURCE_EXHAUSTED",
                       "Too many requests. Retry in " + std::to_string(seconds) + " seconds.",
                       "",
                       429,
                       std::to_string(seconds) + "s",
                       "DEVELOPER"};
    }

    static std::string element_end(const ga::RowWriter& writer) {
        return "],\"fieldMask\":\"" + writer.field_mask() +
               "\",\"requestId\":\"sandbox-request\",\"queryResourceConsumption\":\"512\"}";
    }

    // A list of elements, sent as they are made. An answer without rows is an empty list.
    static HttpServerResponse stream(Call& call, ga::QueryRun run, const ga::RowWriter& writer,
                                     const std::string& version) {
        const Fault* cut = call.fault("stream_cut");
        const Fault* error = call.fault("error_behind_rows");
        HttpServerResponse response = ga::json_answer("");
        if (cut != nullptr || error != nullptr) {
            const auto limit = static_cast<size_t>((cut != nullptr ? cut : error)->options->integer("rows"));
            std::vector<ga::Row> rows;
            while (rows.size() <= limit && run.next(rows)) {
            }
            const bool reaches = rows.size() > limit;
            rows.resize(std::min(limit, rows.size()));
            response.body = "[{\"results\":[";
            for (const ga::Row& row : rows) {
                if (!response.body.ends_with('[')) response.body += ",\n";
                writer.write(row, response.body);
            }
            if (!reaches && rows.empty()) {
                response.body = "[]";
            } else if (!reaches) {
                response.body += element_end(writer) + "\n]";
            } else if (cut != nullptr) {
                response.body += ",\n{\"campaign\":{\"resou";
                response.fault = {HttpServerFault::Kind::reset_in_body, response.body.size(), {}};
                response.body += "rceName\":\"\"}}]}]";
            } else {
                response.body += element_end(writer) + ",\n" + ga::error_body(refusal_of(*error), version) + "\n]";
            }
            return response;
        }
        auto state = std::make_shared<std::pair<ga::QueryRun, ga::RowWriter>>(std::move(run), writer);
        response.next_chunk = [state, begun = false](std::string& out) mutable {
            std::vector<ga::Row> rows;
            while (rows.size() < kRowsOfElement && state->first.next(rows)) {
            }
            const bool is_over = rows.size() < kRowsOfElement;
            for (size_t i = 0; i < rows.size(); i += kRowsOfElement) {
                out += begun ? ",\n{\"results\":[\n" : "[{\"results\":[\n";
                begun = true;
                for (size_t j = i; j < std::min(rows.size(), i + kRowsOfElement); ++j) {
                    if (j > i) out += ",\n";
                    state->second.write(rows[j], out);
                }
                out += element_end(state->second);
            }
            if (is_over) out += begun ? "\n]" : "[]";
            return !is_over;
        };
        return response;
    }

    // Pages of ten thousand; a token says behind how many rows of which query a page begins.
    static HttpServerResponse page(ga::QueryRun run, const ga::RowWriter& writer, const nlohmann::json& body,
                                   const std::string& version) {
        const auto wrong = [&](const std::string& code, const std::string& message) {
            return ga::error_answer({"requestError", code, message}, version);
        };
        if (body.contains("pageSize") || body.contains("page_size"))
            return wrong("PAGE_SIZE_NOT_SUPPORTED", "Setting the page size is not supported.");
        const std::string query = body["query"].get<std::string>();
        const std::string mark = to_hex(sha256(query)).substr(0, 16);
        size_t begin = 0;
        const std::string token = body.value("pageToken", body.value("page_token", std::string()));
        if (!token.empty()) {
            const auto text = from_base64(token);
            if (!text.ok() || !text.value().starts_with(mark + ":"))
                return wrong("INVALID_PAGE_TOKEN", "The page token is not valid for this query.");
            begin = std::strtoul(text.value().c_str() + mark.size() + 1, nullptr, 10);
        }
        std::vector<ga::Row> rows;
        while (run.next(rows)) {
        }
        const size_t end = std::min(rows.size(), begin + kRowsOfPage);
        std::string out = "{\"results\":[";
        for (size_t i = begin; i < end; ++i) {
            if (i > begin) out += ",\n";
            writer.write(rows[i], out);
        }
        out += "],\"fieldMask\":\"" + writer.field_mask() + "\"";
        if (end < rows.size()) out += ",\"nextPageToken\":\"" + to_base64(mark + ":" + std::to_string(end)) + "\"";
        const nlohmann::json settings =
            body.value("searchSettings", body.value("search_settings", nlohmann::json::object()));
        if (settings.is_object() &&
            (settings.value("returnTotalResultsCount", false) || settings.value("return_total_results_count", false)))
            out += ",\"totalResultsCount\":\"" + std::to_string(rows.size()) + "\"";
        return ga::json_answer(out + "}");
    }

    Environment& environment_;
    std::mutex mutex_;
    std::map<std::string, Timestamp> tokens_;
    int64_t made_ = 0;
};

std::unique_ptr<Platform> make_google_ads(Environment& environment) { return std::make_unique<GoogleAds>(environment); }

constexpr Credential kCredentials[] = {{"GOOGLE_CLIENT_ID", kClientId},
                                       {"GOOGLE_CLIENT_SECRET", kClientSecret},
                                       {"GOOGLE_REFRESH_TOKEN", kRefreshToken},
                                       {"GOOGLE_LOGIN_CUSTOMER_ID", ga::kManagerId},
                                       {"GOOGLE_TOKEN_URL", "/token"}};

}  // namespace
}  // namespace shaduf::sandbox

namespace shaduf {
extern const sandbox::PlatformSpec platform_google_ads;
const sandbox::PlatformSpec platform_google_ads{.name = "google_ads",
                                                .summary = "The Google Ads API over REST.",
                                                .url_variable = "GOOGLE_ADS_URL",
                                                .base_path = "",
                                                .owns = sandbox::owns,
                                                .make_id = sandbox::google_ads::make_id,
                                                .credentials = sandbox::kCredentials,
                                                .faults = sandbox::kFaults,
                                                .truth = sandbox::google_ads::truth_streams,
                                                .make = sandbox::make_google_ads};
}  // namespace shaduf
