#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/connectors/conformance.h"

namespace shaduf {

inline Result<std::string> keep_text(std::string_view text, const Place&) { return std::string(text); }

// Options from YAML, with what is wrong with them.
inline std::vector<Error> read_fields(std::span<const FieldSpec> fields, const std::string& yaml, Options& options) {
    auto node = Node::parse_yaml(yaml.empty() ? "{}" : yaml, "conformance.yml");
    if (!node.ok()) return {node.error()};
    return Options::create(fields, node.value(), keep_text, options);
}

// A test of one connector, with the fixture that the connector brings.
class EveryConnector : public testing::TestWithParam<const ConnectorSpec*> {
protected:
    const ConnectorSpec& spec() const { return *GetParam(); }

    // nullptr, and the test has failed, when there is none.
    std::unique_ptr<ConformanceFixture> make_fixture() const {
        for (const ConformanceEntry& entry : conformance_fixtures()) {
            if (entry.connector == spec().name && entry.make != nullptr) return entry.make();
        }
        const std::string name(spec().name);
        ADD_FAILURE() << "connector has no fixture for the conformance suite: " << name << "; define conformance_"
                      << name << "() in tests/connectors/" << name
                      << "_test.cc, as tests/connectors/conformance.h tells";
        return nullptr;
    }
    Options options_of(std::span<const FieldSpec> fields, const std::string& yaml) const {
        Options options;
        for (const Error& error : read_fields(fields, yaml, options)) ADD_FAILURE() << error.to_string();
        return options;
    }
    Options connection_of(ConformanceFixture& fixture, const std::string& secret = "s3cr3t") const {
        return options_of(spec().fields, fixture.connection(secret));
    }
};

struct ConnectorName {
    std::string operator()(const testing::TestParamInfo<const ConnectorSpec*>& info) const {
        return std::string(info.param->name);
    }
};

inline std::vector<const ConnectorSpec*> connectors_with(bool (*has)(const ConnectorSpec&)) {
    std::vector<const ConnectorSpec*> found;
    const auto connectors = builtin_connectors();
    for (const ConnectorSpec* spec : connectors.all()) {
        if (has(*spec)) found.push_back(spec);
    }
    return found;
}

}  // namespace shaduf
