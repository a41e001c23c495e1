#include "tests/connectors/conformance.h"

namespace shaduf {
namespace {

// The command of a program of tests/adapters, told to write six rows, a state behind every two, each for itself.
std::string call(const std::string& program, const std::string& secret) {
    return "command: [python3, '" SHADUF_TEST_FOLDER "/adapters/" + program + "'" +
           "]\nconfig: {count: 6, every: 2, slow: 0.12, api_key: " + secret + "}\nenv: {TOKEN: " + secret + "}";
}

class AirbyteConformance final : public ConformanceFixture {
public:
    std::string connection(const std::string& secret) override { return call("airbyte_source.py", secret); }
    std::vector<StreamCase> streams() override {
        return {{.stream = "users", .rows = 6},
                {.stream = "users", .mode = ReadMode::full_refresh, .rows = 6, .resumes = false}};
    }
};

class SingerConformance final : public ConformanceFixture {
public:
    std::string connection(const std::string& secret) override { return call("singer_tap.py", secret); }
    std::vector<StreamCase> streams() override {
        return {{.stream = "shop-orders", .rows = 6},
                {.stream = "shop-orders", .mode = ReadMode::full_refresh, .rows = 6, .resumes = false}};
    }
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_airbyte() { return std::make_unique<AirbyteConformance>(); }
std::unique_ptr<ConformanceFixture> conformance_singer() { return std::make_unique<SingerConformance>(); }

}  // namespace shaduf
