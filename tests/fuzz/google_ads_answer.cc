// Takes any bytes for an answer of searchStream: rows are the same however the answer is parted, and whatever they are,
// they are decoded or rejected, one by one.

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/google_ads/cutter.h"
#include "connectors/google_ads/failure.h"
#include "connectors/google_ads/reading.h"
#include "connectors/google_ads/rows.h"

namespace shaduf::google_ads {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

struct Cut {
    std::vector<std::string> rows;
    std::vector<std::string> errors;
    bool ok = true;
    bool complete = false;
    bool operator==(const Cut&) const = default;
};

Cut cut(std::string_view text, size_t size) {
    Cut cut;
    const auto keep = [](std::vector<std::string>& list) {
        return [&list](std::string_view value) -> Result<void> {
            list.emplace_back(value);
            return {};
        };
    };
    StreamCutter cutter(keep(cut.rows), keep(cut.errors));
    for (size_t at = 0; at < text.size() && cut.ok; at += size) cut.ok = cutter.feed(text.substr(at, size)).ok();
    cut.complete = cut.ok && cutter.complete();
    return cut;
}

RowReader reader_of_all_forms() {
    RowPlan plan;
    plan.columns = plan_columns({{"a.id", "ATTRIBUTE", "INT64", false},
                                 {"a.b", "ATTRIBUTE", "INT64", false},
                                 {"a.c.d", "ATTRIBUTE", "BOOLEAN", false},
                                 {"a.l", "ATTRIBUTE", "STRING", true},
                                 {"segments.date", "SEGMENT", "DATE", false},
                                 {"metrics.cost_micros", "METRIC", "INT64", false},
                                 {"metrics.average_cpc", "METRIC", "DOUBLE", false},
                                 {"metrics.ctr", "METRIC", "DOUBLE", false},
                                 {"a.status", "ATTRIBUTE", "ENUM", false}});
    plan.marks_deleted = true;
    return RowReader(std::move(plan));
}

void run(std::string_view text) {
    if (text.empty()) return;
    const size_t size = 1 + static_cast<unsigned char>(text.front()) % 17;
    text.remove_prefix(1);
    const Cut whole = cut(text, text.size() + 1);
    require(cut(text, size) == whole);
    for (const std::string& error : whole.errors) (void)parse_failure("{\"error\":" + error + "}");

    static const RowReader reader = reader_of_all_forms();
    BufferBuilder lines;
    size_t count = 0;
    for (const std::string& row : whole.rows) {
        if (row.find('\n') != std::string::npos) continue;
        lines.append(row);
        lines.append("\n");
        ++count;
    }
    const auto body = lines.finish();
    const DecodedRows decoded = reader.read({"1", "", "", "", ""}, body->view());
    require(decoded.rows.rows() == count && decoded.rejected.size() <= count);
    for (size_t at = 0; at < body->size();) {
        const size_t end = body->view().find('\n', at);
        RowIdentity identity;
        (void)identify(body->view().substr(at, end - at), "a", identity);
        at = end + 1;
    }
}

}  // namespace
}  // namespace shaduf::google_ads

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::google_ads::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
