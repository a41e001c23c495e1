#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "connectors/ads/fetcher.h"
#include "connectors/connector.h"
#include "tests/world.h"

// What the tests of advertising sources share: their fetchers are tried out alone, on a scripted transport.
namespace shaduf {

// Options from YAML as a user would write them; a mistake in it fails the test.
inline Options ads_options(std::span<const FieldSpec> fields, const std::string& yaml) {
    Options options;
    auto node = Node::parse_yaml(yaml, "test.yml");
    EXPECT_TRUE(node.ok()) << node.error().to_string();
    const auto errors = Options::create(
        fields, node.value(),
        [](std::string_view text, const Place&) -> Result<std::string> { return std::string(text); }, options);
    for (const Error& error : errors) ADD_FAILURE() << error.to_string();
    return options;
}

// A day of a test, "2026-11-01".
inline ads::Day day(std::string_view text) {
    const auto parsed = ads::parse_day(text);
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed.value_or(ads::Day());
}
inline ads::DayRange days(std::string_view first, std::string_view last) { return {day(first), day(last)}; }

// Takes the pages of one fetch and parses each at once, as the source does.
class FakeOutput final : public ads::SliceOutput {
public:
    FakeOutput(const ads::SliceFetcher& fetcher, ads::Slice slice) : fetcher_(fetcher), slice_(std::move(slice)) {}

    Result<void> give(RunContext& run, ads::Page page) override {
        TRY(run.cancellation.check());
        batches_.push_back(TRY(fetcher_.parse(slice_, page)));
        pages_.push_back(std::move(page));
        return {};
    }
    bool has_left() const override { return leaves_after && pages_.size() >= *leaves_after; }
    bool restart() override {
        if (has_left()) return false;
        pages_.clear();
        batches_.clear();
        ++restarts;
        return true;
    }
    void skip(std::string why) override { skipped = std::move(why); }
    void set_cursor(std::string text) override { cursor = std::move(text); }

    const std::vector<ads::Page>& pages() const { return pages_; }
    const std::vector<ReadBatch>& batches() const { return batches_; }
    // The rows as the source gives them to the contract: their JSON text, or that of typed ones.
    std::vector<std::string> rows() const {
        std::vector<std::string> rows;
        for (const ReadBatch& batch : batches_) {
            if (const auto* raw = std::get_if<RawRows>(&batch.rows)) {
                for (size_t i = 0; i < raw->rows.size(); ++i) rows.emplace_back(raw->row(i));
            } else {
                const auto& typed = std::get<RecordBatch>(batch.rows);
                for (size_t i = 0; i < typed.rows(); ++i) rows.push_back(typed.row_as_json(i));
            }
        }
        return rows;
    }
    // The rows as a table gets them, text rows decoded along known_columns and what the rows show, as JSON. Why a row
    // goes to quarantine stands in `rejected`.
    std::vector<std::string> typed_rows() {
        std::vector<std::string> rows;
        for (const ReadBatch& batch : batches_) {
            const RecordBatch typed = decode(batch);
            for (size_t i = 0; i < typed.rows(); ++i) rows.push_back(typed.row_as_json(i));
        }
        return rows;
    }

    std::optional<size_t> leaves_after;  // so many pages given, and rows have left for the sink
    std::string cursor;
    std::string skipped;
    int restarts = 0;
    std::vector<std::string> rejected;

private:
    RecordBatch decode(const ReadBatch& batch) {
        if (const auto* typed = std::get_if<RecordBatch>(&batch.rows)) {
            for (const RejectedRow& row : batch.rejected) rejected.push_back(row.why.message());
            return *typed;
        }
        const auto& raw = std::get<RawRows>(batch.rows);
        Shape shape;
        shape.columns = fetcher_.known_columns();
        infer_shape(raw, raw.rows.size(), shape);
        Decoded decoded = RowDecoder::create(raw.format, shape)->decode(raw);
        EXPECT_TRUE(decoded.drift.empty());
        for (const RejectedRow& row : decoded.rejected) rejected.push_back(row.why.message());
        return decoded.rows;
    }

    const ads::SliceFetcher& fetcher_;
    const ads::Slice slice_;
    std::vector<ads::Page> pages_;
    std::vector<ReadBatch> batches_;
};

}  // namespace shaduf
