#include "connectors/x_ads/api.h"

#include <algorithm>
#include <array>

#include "base/retry.h"
#include "base/text.h"
#include "connectors/x_ads/rules.h"
#include "data/json_page.h"
#include "io/compression.h"
#include "io/crypto.h"

namespace shaduf::x_ads {
namespace {

constexpr size_t kUserDigits = 12;
constexpr size_t kIdsMax = 200;

std::string_view name_of(Family family) {
    switch (family) {
        case Family::accounts: return "accounts";
        case Family::entities: return "entities";
        case Family::active_entities: return "active_entities";
        case Family::stats: return "stats";
        case Family::jobs: return "jobs";
    }
    return "";
}

std::string text_of(std::string_view json, const char* name) {
    const auto value = find_scalar(json, {name});
    return value ? value->text : "";
}

Result<BufferPtr> gunzip(const BufferPtr& body) {
    if (!body->view().starts_with("\x1f\x8b")) return body;
    const auto decompressor = Decompressor::create(Compression::gzip);
    BufferBuilder out;
    TRY(decompressor->feed(body->view(), out));
    TRY(decompressor->finish());
    return out.finish();
}

}  // namespace

Api::Api(ConnectionSettings settings)
    : settings_(std::move(settings)),
      client_(std::make_shared<Rules>(settings_.credentials), RetryPolicy{}),
      user_(to_hex(sha256(settings_.credentials.token)).substr(0, kUserDigits)) {}

Result<BufferPtr> Api::get(RunContext& run, Family family, const std::string& account, const std::string& path,
                           const QueryParams& params) const {
    return send(run, "GET", family, account, path, params);
}

Result<BufferPtr> Api::post(RunContext& run, Family family, const std::string& account, const std::string& path,
                            const QueryParams& params) const {
    return send(run, "POST", family, account, path, params);
}

Result<BufferPtr> Api::send(RunContext& run, const char* method, Family family, const std::string& account,
                            const std::string& path, const QueryParams& params) const {
    HttpRequest request = settings_.timeouts;
    request.method = method;
    request.url = settings_.base_url + "/" + settings_.api_version + path;
    if (!params.empty()) request.url += "?" + format_query(params);
    const std::string suffix = ":" + std::string(name_of(family));
    const std::string user_key = "x_ads:user:" + user_ + suffix;
    std::vector<ads::RateKey> keys{{user_key, {}}};
    if (!account.empty()) keys.push_back({"x_ads:" + account + suffix, {}});
    const HttpResponse response = TRY(client_.send(run, request, keys));
    if (const auto limits = read_limits(response)) {
        const std::string& key = limits->of_account ? keys.back().key : user_key;
        run.rates.set_remaining(key, limits->remaining, limits->reset);
    }
    return response.body;
}

Result<BufferPtr> Api::download(RunContext& run, const std::string& url) const {
    return with_retries(run, RetryPolicy{}, [&]() -> Result<BufferPtr> {
        HttpRequest request = settings_.timeouts;
        request.url = url;
        const HttpResponse response = TRY(run.http.send(run, request));
        const int status = response.status;
        if (status == 403 || status == 404 || status == 410)
            return Error(ErrorKind::conflict, "report file has expired: HTTP " + std::to_string(status));
        if (status >= 400) return http_error(run, request, response);
        return gunzip(response.body);
    });
}

Result<std::string> Api::currency_of(RunContext& run, const std::string& account) const {
    const std::string path = "/accounts/" + account + "/funding_instruments";
    const auto body = TRY(get(run, Family::entities, account, path, {{"count", "1000"}, {"with_deleted", "true"}}));
    const auto page = TRY(JsonPage::parse(body, path));
    std::string currency;
    for (const RawRows::Span& span : TRY(page.records({"data"}))) {
        const std::string_view row = body->view().substr(span.offset, span.length);
        if (!currency.empty() && text_of(row, "deleted") == "true") continue;
        currency = text_of(row, "currency");
        if (text_of(row, "deleted") != "true") break;
    }
    return currency;
}

Result<AccountList> Api::list_accounts(RunContext& run) const {
    AccountList list;
    QueryParams params{{"count", "1000"}};
    const auto& wanted = settings_.account_ids;
    if (!wanted.empty() && wanted.size() <= kIdsMax) params.emplace_back("account_ids", join(wanted, ","));
    for (std::string cursor;;) {
        const auto body = TRY(get(run, Family::accounts, "", "/accounts", params));
        const auto page = TRY(JsonPage::parse(body, "/accounts"));
        for (const RawRows::Span& span : TRY(page.records({"data"}))) {
            const std::string_view row = body->view().substr(span.offset, span.length);
            AccountRecord record;
            record.account.id = text_of(row, "id");
            if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), record.account.id) == wanted.end()) continue;
            record.account.name = text_of(row, "name");
            record.account.time_zone = text_of(row, "timezone");
            record.json = row;
            list.push_back(std::move(record));
        }
        const auto next = page.scalar({"next_cursor"});
        if (!next || next->text.empty()) break;
        if (next->text == cursor) return Error(ErrorKind::bad_data, "accounts: the same cursor came twice: " + cursor);
        cursor = next->text;
        std::erase_if(params, [](const auto& param) { return param.first == "cursor"; });
        params.emplace_back("cursor", cursor);
    }
    for (const std::string& id : wanted) {
        const bool found = std::any_of(list.begin(), list.end(), [&](const auto& one) { return one.account.id == id; });
        if (!found)
            return Error(ErrorKind::invalid_config,
                         "account not found: " + id +
                             "; it is not among those that the user of access_token may see: "
                             "correct account_ids, or have the user added at ads.x.com");
    }
    for (AccountRecord& record : list) record.account.currency = TRY(currency_of(run, record.account.id));
    return list;
}

Result<std::shared_ptr<const AccountList>> Api::accounts(RunContext& run) const {
    const std::string key = "x_ads:accounts:" + settings_.name + ":" + user_ + ":" + join(settings_.account_ids, ",");
    return run.shared.get<AccountList>(key, [&] { return list_accounts(run); });
}

}  // namespace shaduf::x_ads
