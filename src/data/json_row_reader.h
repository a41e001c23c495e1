#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/json_cursor.h"
#include "data/json_plan.h"
#include "data/row_judge.h"

namespace shaduf {

// Reads the rows of one batch along a plan: what `decode` keeps while it works. One thread.
//
// Keys are guessed before they are read: after each key stands the one that stood there in the row before. A right
// guess costs one comparison; a wrong one reads the key, looks it up and is remembered.
class JsonRowReader {
public:
    JsonRowReader(const Shape& shape, const JsonPlan& plan, const SchemaPtr& schema);

    // Makes room for rows to come.
    void reserve(size_t rows);
    // Appends one row. An error (bad_data) says why it was rejected; nothing of it is left then.
    std::optional<Error> read(std::string_view text, size_t row);

    RecordBatch finish() { return rows_.finish(); }
    std::vector<DriftColumn> release_drift() { return judge_.release_drift(); }
    size_t values_ignored() const { return judge_.values_ignored(); }
    std::vector<std::string> release_fields_ignored() { return judge_.release_fields_ignored(); }

private:
    bool read_document(std::string_view text);
    bool read_object(const JsonPlanObject& object);
    bool read_member(const JsonPlanObject& object, uint32_t& guess_slot);
    bool read_value(const JsonPlanKey& key, const JsonPlanObject& parent);
    bool read_string(const JsonPlanKey& key, const JsonPlanObject& parent);
    bool read_number(const JsonPlanKey& key, const JsonPlanObject& parent);
    bool read_literal(const JsonPlanKey& key, const JsonPlanObject& parent);
    bool read_container(const JsonPlanKey& key, const JsonPlanObject& parent);
    bool fill_from_container(const TargetColumn& column, std::string_view value, bool has_keys_below,
                             const std::vector<std::string>& path);
    bool fill_nested(const TargetColumn& column, std::string_view value, const std::vector<std::string>& path);
    bool append_as_json(const TargetColumn& column, std::string_view value);
    void forget(const JsonPlanKey& key);
    bool read_unknown(const JsonPlanObject& object, std::string_view key);
    // A value that the shape has no column for, or that does not fit it. False: the row is rejected.
    bool unlisted(std::vector<std::string> path, std::string_view value);
    bool report_new(std::vector<std::string>& path, std::string_view value);
    bool misfit(const TargetColumn& column, const std::vector<std::string>& path, std::string_view value);
    static std::vector<std::string> path_of(const JsonPlanObject& parent, std::string_view key);

    const Shape& shape_;
    const JsonPlan& plan_;
    RecordBatchBuilder rows_;
    JsonCursor cursor_;
    std::vector<uint32_t> guesses_;  // by slot of an object (its first key) or of a key (the one behind it)
    std::vector<uint64_t> seen_;     // by slot of a key: the last document that had it
    uint64_t document_ = 0;
    RowJudge judge_;
};

}  // namespace shaduf
