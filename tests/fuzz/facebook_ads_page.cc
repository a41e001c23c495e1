// Reads any bytes as answers of Facebook's API, by all that looks into them, and holds what is found against
// nlohmann-json: the records of a page, and where it goes on.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "connectors/facebook_ads/errors.h"
#include "connectors/facebook_ads/page.h"
#include "connectors/facebook_ads/usage.h"
#include "data/buffer.h"
#include "io/http.h"

namespace shaduf {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

HttpResponse response_of(std::string_view text, int status) {
    HttpResponse response;
    response.status = status;
    BufferBuilder bytes;
    bytes.append(text);
    response.body = bytes.finish();
    for (const char* name :
         {"x-app-usage", "x-ad-account-usage", "x-business-use-case-usage", "x-fb-ads-insights-throttle"})
        response.headers.emplace_back(name, std::string(text));
    return response;
}

void check_records(std::string_view body) {
    const auto records = facebook::find_records(body);
    if (!records.ok()) return;
    const auto page = nlohmann::json::parse(body, nullptr, false);
    if (page.is_discarded()) return;  // a number that no double holds, or a zero byte
    const bool is_list = page.contains("data") && page["data"].is_array();
    if (!is_list) return require(records.value().size() == 1);
    // Of a member that stands there twice nlohmann keeps the last one.
    if (body.find("\"data\"") != body.rfind("\"data\"") || body.find('\\') != body.npos) return;
    require(records.value().size() == page["data"].size());
    for (size_t i = 0; i < records.value().size(); ++i) {
        const auto& span = records.value()[i];
        require(nlohmann::json::parse(body.substr(span.offset, span.length), nullptr, false) == page["data"][i]);
    }
}

void check_paging(std::string_view body) {
    const auto paging = facebook::read_paging(body);
    // Only with the records is it known that the whole is JSON.
    if (!paging.ok() || !facebook::find_records(body).ok()) return;
    const auto page = nlohmann::json::parse(body, nullptr, false);
    if (page.is_discarded() || body.find("\"paging\"") != body.rfind("\"paging\"")) return;
    if (body.find("after") != body.rfind("after") || body.find("next") != body.rfind("next")) return;
    if (body.find("cursors") != body.rfind("cursors") || body.find('\\') != body.npos) return;
    const auto& own = page.value("paging", nlohmann::json::object());
    if (!own.is_object()) return require(!paging.value().has_next && paging.value().after.empty());
    require(paging.value().has_next == (own.contains("next") && own["next"].is_string()));
}

void run(std::string_view text) {
    const HttpResponse response = response_of(text, 200);
    const std::string_view body = response.text();
    check_records(body);
    check_paging(body);
    (void)facebook::read_batch(body);
    (void)facebook::judge_answer(response);
    (void)facebook::judge_answer(response_of(text, 400));
    (void)facebook::read_error(body);
    (void)facebook::read_run_error(body);
    (void)facebook::read_usage(response, "1");
}

}  // namespace
}  // namespace shaduf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
