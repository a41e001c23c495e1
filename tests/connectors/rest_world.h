#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "tests/world.h"

namespace shaduf {
extern const ConnectorSpec connector_rest;

inline Options read_options(std::span<const FieldSpec> fields, const std::string& yaml) {
    Options options;
    auto node = Node::parse_yaml(yaml, "test.yml");
    EXPECT_TRUE(node.ok()) << node.error().to_string();
    const auto errors = Options::create(
        fields, node.value(),
        [](std::string_view text, const Place&) -> Result<std::string> { return std::string(text); }, options);
    for (const Error& error : errors) ADD_FAILURE() << error.to_string();
    return options;
}

// What a source gave: rows, places and checkpoints, up to its end or an error.
struct Outcome {
    std::vector<std::string> rows;
    std::vector<std::string> positions;
    std::vector<std::string> checkpoints;  // "" where there was none; one a batch
    std::optional<Error> error;
    std::string message() const { return error ? error->to_string() : ""; }
};

class RestTest : public testing::Test {
protected:
    ~RestTest() override { EXPECT_THAT(world.http.unused(), testing::IsEmpty()); }

    Result<std::unique_ptr<Source>> make(const std::string& stream, ReadMode mode = ReadMode::full_refresh) {
        StreamRequest request{"api", "items", mode, read_options(connector_rest.stream_fields, stream)};
        request.pipeline_streams = siblings;
        request.pipeline_streams.emplace_back("items", request.options);
        return connector_rest.make_source(read_options(connector_rest.fields, connection), request);
    }

    // Reads to the end; retries what may be retried up to `retries` times, as the runner does.
    Outcome read(const std::string& stream, ReadMode mode = ReadMode::full_refresh,
                 const std::optional<std::string>& checkpoint = {}, int retries = 0) {
        Outcome outcome;
        auto source = make(stream, mode);
        if (!source.ok()) {
            outcome.error = source.error();
            return outcome;
        }
        auto opened =
            source.value()->open(world.run, checkpoint ? std::optional(Checkpoint(*checkpoint)) : std::nullopt);
        if (!opened.ok()) {
            outcome.error = opened.error();
            return outcome;
        }
        for (;;) {
            auto batch = source.value()->read(world.run);
            if (!batch.ok()) {
                if (batch.error().may_retry() && retries-- > 0) continue;
                outcome.error = batch.error();
                return outcome;
            }
            if (!batch.value()) return outcome;
            const auto& rows = std::get<RawRows>(batch.value()->rows);
            for (size_t i = 0; i < rows.rows.size(); ++i) {
                outcome.rows.emplace_back(rows.row(i));
                outcome.positions.push_back(rows.position(i));
            }
            outcome.checkpoints.push_back(batch.value()->next ? batch.value()->next->value() : "");
        }
    }

    Outcome read_incremental(const std::string& stream, const std::optional<std::string>& checkpoint = {}) {
        return read(stream, ReadMode::incremental, checkpoint);
    }

    World world;
    std::string connection = "base_url: http://api.test/v1";
    std::vector<std::pair<std::string, Options>> siblings;
};

}  // namespace shaduf
