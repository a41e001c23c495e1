// Takes any text for a query: the source's parser gives one that it reads again as the same, and what it takes for a
// query the sandbox's own parser judges too, without harm.

#include <cstdlib>
#include <string>
#include <string_view>

#include "connectors/google_ads/amount.h"
#include "connectors/google_ads/gaql.h"
#include "sandbox/google_ads/gaql.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto query = shaduf::google_ads::Query::parse(text); query.ok()) {
        const std::string written = query.value().to_string();
        const auto again = shaduf::google_ads::Query::parse(written);
        if (!again.ok() || again.value().to_string() != written) std::abort();
    }
    for (const bool needs_from : {true, false}) (void)shaduf::sandbox::google_ads::parse_gaql(text, needs_from);
    (void)shaduf::google_ads::parse_micros(text);
    return 0;
}
