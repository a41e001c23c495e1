// docs/observability.md has a row for each metric, and no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "observe/metrics/metric_spec.h"

namespace shaduf::observe {
namespace {

std::string row_of(const MetricSpec& spec) {
    std::string labels;
    for (const std::string_view label : spec.labels) {
        labels += (labels.empty() ? "`" : ", `") + std::string(label) + "`";
    }
    return "| `" + std::string(spec.name) + "` | " + std::string(to_string(spec.kind)) + " | " + labels + " | " +
           std::string(spec.help) + " |";
}

TEST(MetricsDocs, HaveEachMetric) {
    std::vector<std::string> wanted;
    for (const MetricSpec* spec : all_metrics()) wanted.push_back(row_of(*spec));
    std::ifstream page(SHADUF_TEST_FOLDER "/../docs/observability.md");
    ASSERT_TRUE(page.good());
    std::vector<std::string> found;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("| `shaduf_") || line.starts_with("| `process_")) found.push_back(line);
    }
    EXPECT_EQ(found, wanted);
}

}  // namespace
}  // namespace shaduf::observe
