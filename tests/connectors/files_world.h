#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>
#include <utility>

#include "connectors/files/manifest.h"
#include "data/builder.h"
#include "io/duckdb.h"
#include "tests/connectors/conformance_suite.h"
#include "tests/world.h"

namespace shaduf {
extern const ConnectorSpec connector_files;

// A folder that the files connector reads from and writes to, and a look at what is in it.
class FilesTest : public testing::Test {
protected:
    RunContext& run() { return world.run; }
    static Options options_of(std::span<const FieldSpec> fields, const std::string& yaml) {
        Options options;
        for (const Error& error : read_fields(fields, yaml, options)) ADD_FAILURE() << error.to_string();
        return options;
    }
    Options connection() const { return options_of(connector_files.fields, "path: " + folder.path().string()); }

    void put(const std::string& name, std::string_view text) {
        std::filesystem::create_directories((folder.path() / name).parent_path());
        std::ofstream(folder / name, std::ios::binary) << text;
    }
    std::string read(const std::string& name) const {
        std::stringstream text;
        text << std::ifstream(folder / name, std::ios::binary).rdbuf();
        return text.str();
    }
    bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }

    std::unique_ptr<Source> make_source(const std::string& stream_options) {
        StreamRequest request{"lake", "s", ReadMode::incremental,
                              options_of(connector_files.stream_fields, stream_options)};
        return connector_files.make_source(connection(), request).release_value();
    }
    struct Read {
        std::vector<std::string> rows;                  // as text, or JSON where they came typed
        std::vector<std::optional<Checkpoint>> behind;  // the checkpoint of each row's batch
        std::optional<Checkpoint> last;
        std::string error;
    };
    Read read_stream(const std::string& stream_options, const std::optional<Checkpoint>& from = std::nullopt) {
        Read found;
        auto source = make_source(stream_options);
        auto opened = source->open(run(), from);
        if (!opened.ok()) found.error = opened.error().to_string();
        while (found.error.empty()) {
            auto batch = source->read(run());
            if (!batch.ok()) {
                found.error = batch.error().to_string();
            } else if (!batch.value()) {
                break;
            } else {
                add_rows(*batch.value(), found);
            }
        }
        return found;
    }

    TableTarget target_of(const std::string& table_options, WriteMode mode = WriteMode::append) const {
        TableTarget target;
        target.connection = "lake";
        target.pipeline = "p";
        target.stream = "s";
        target.table = "t";
        target.mode = mode;
        target.options = options_of(connector_files.table_fields, table_options);
        return target;
    }
    std::unique_ptr<Sink> open_sink(const TableTarget& target, SinkState* state = nullptr) {
        auto sink = connector_files.make_sink(connection(), target).release_value();
        auto opened = sink->open(run());
        EXPECT_TRUE(opened.ok()) << opened.error().to_string();
        prepared_ = nullptr;
        if (state != nullptr && opened.ok()) *state = opened.value();
        return sink;
    }
    // Batches of one schema.
    void write(Sink& sink, const RecordBatch& rows) {
        if (std::exchange(prepared_, &sink) != &sink) {
            auto prepared = sink.prepare(run(), rows.schema());
            ASSERT_TRUE(prepared.ok()) << prepared.error().to_string();
        }
        auto written = sink.write(run(), rows);
        ASSERT_TRUE(written.ok()) << written.error().to_string();
        EXPECT_EQ(written.value().rows_written, rows.rows());
    }
    void commit(Sink& sink, const char* checkpoint, CommitKind kind = CommitKind::interim) {
        auto done =
            sink.commit(run(), checkpoint == nullptr ? std::nullopt : std::optional(Checkpoint(checkpoint)), kind);
        ASSERT_TRUE(done.ok()) << done.error().to_string();
    }
    // What the newest manifest of a table says.
    TableState state_of(const std::string& table = "t") {
        const auto store = open_object_store({.url = folder.path().string()}).release_value();
        ManifestLog log(*store, table);
        auto refreshed = log.refresh(run());
        EXPECT_TRUE(refreshed.ok()) << refreshed.error().to_string();
        return log.state();
    }
    // The texts of the files of a table that is written as text, in the order of their names.
    std::vector<std::string> texts_of_table() {
        std::vector<std::string> texts;
        for (const auto& [key, file] : state_of().files) texts.push_back(read(key));
        return texts;
    }
    // Sorted.
    std::vector<std::string> files_below(const std::string& name) const {
        std::vector<std::string> files;
        std::error_code none;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / name, none)) {
            if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder.path()).string());
        }
        std::sort(files.begin(), files.end());
        return files;
    }

    TempFolder folder;
    DuckDbInstances databases;
    World world{databases};

private:
    const Sink* prepared_ = nullptr;  // the one that was written to last

    static void add_rows(const ReadBatch& batch, Read& found) {
        if (const auto* raw = std::get_if<RawRows>(&batch.rows)) {
            for (size_t row = 0; row < raw->rows.size(); ++row) found.rows.emplace_back(raw->row(row));
        } else {
            const auto& rows = std::get<RecordBatch>(batch.rows);
            for (size_t row = 0; row < rows.rows(); ++row) found.rows.push_back(rows.row_as_json(row));
        }
        found.behind.resize(found.rows.size(), batch.next);
        found.last = batch.next ? batch.next : found.last;
    }
};

}  // namespace shaduf
