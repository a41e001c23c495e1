#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "io/url.h"
#include "sandbox/facebook_ads/insights_rows.h"
#include "sandbox/facebook_ads/platform.h"

// Any query of insights against a small world: refused, or answered by rows that are JSON, page after page.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace shaduf;
    using namespace shaduf::sandbox;
    static const auto world =
        World::create({.accounts = 1, .ads = 5, .days = 20, .first_today = 20'000, .today = 20'000}, facebook::make_id);
    HttpServerRequest request;
    request.query = parse_query(std::string_view(reinterpret_cast<const char*>(data), size));
    const facebook::Params params(request);
    (void)facebook::parse_fields(params.text("fields"));
    (void)facebook::read_cursor(params.text("after"));
    const World& of = *world.value();
    const auto parsed = facebook::parse_insights(params, of, of.entity(Level::account, 0));
    if (parsed.index() != 0) return 0;
    const auto& query = std::get<0>(parsed);
    facebook::InsightsRows rows(of, query, {});
    if (rows.estimate() > 2000) return 0;
    std::optional<facebook::RowPosition> at = facebook::RowPosition{};
    for (int page = 0; at && page < 3; ++page) {
        JsonText json;
        json.open('[');
        at = rows.write_page(*at, 7, json);
        json.close(']');
        if (!nlohmann::json::accept(json.str())) __builtin_trap();
        if (at && !facebook::RowPosition::parse(at->to_string())) __builtin_trap();
    }
    return 0;
}
