#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/connector.h"
#include "pipeline/contract.h"
#include "pipeline/json_edit.h"
#include "pipeline/policies.h"

namespace shaduf {

// A rejected row as the quarantine may keep it.
struct GuardedRow {
    std::optional<std::string> raw;  // nullopt: withheld
    std::string reason;
    std::optional<std::string> policies;  // a Treated, as text
};

// Keeps out of the quarantine what the policies of a stream keep out of its table. Where a row is a JSON object (a row
// of a typed source is made one), each column with a policy is found by its path: its value becomes what the policy
// makes of it, as the table would hold it; `drop` takes the member out. A value that a policy cannot be applied to,
// since it does not fit its column, stands in the way of the path or is the source of another column as well, is
// withheld. So is the whole text of any other row (broken JSON, CSV), and the value that a reason names. Without
// policies, all stays.
//
// Not thread-safe; what it is made of must outlive it.
class RawGuard {
public:
    RawGuard(const ContractSettings& contract, const Policies& policies) : contract_(contract), policies_(policies) {}

    // `shape`: what raw rows of the batch are decoded along, nullptr when nothing is known.
    Result<GuardedRow> guard(const ReadBatch& batch, size_t row, const std::string& reason,
                             const std::shared_ptr<const Shape>& shape);

private:
    // A column with a policy, in rows of one shape.
    struct Target {
        std::string column;
        std::vector<std::string> path;
        std::unique_ptr<RowDecoder> decoder;  // of this column alone
        bool is_shared = false;               // another column reads this value, or a part of it
        bool is_guess = false;                // no row has shown the column: its path follows from its name
    };

    void find_targets(const std::shared_ptr<const Shape>& shape);
    void add_target(const std::string& column, std::vector<std::string> path, const DataType& type, bool declared);
    void guess_target(const std::string& column, std::vector<std::string> path);
    Result<GuardedRow> guard_text(const RawRows& rows, size_t row, const Treated* before,
                                  const std::shared_ptr<const Shape>& shape);
    Result<GuardedRow> guard_typed(const RecordBatch& rows, size_t row, const Treated* before);
    Result<GuardedRow> guard_encoded(const ReadBatch& batch, size_t row);
    Result<JsonEdit> edit_of(const std::string& column, std::vector<std::string> path,
                             const std::optional<std::string>& value, bool is_shared, Treated& treated) const;
    static GuardedRow finish(std::string_view text, std::vector<JsonEdit>& edits,
                             const std::vector<std::string>& columns, Treated treated);

    const ContractSettings& contract_;
    const Policies& policies_;
    std::shared_ptr<const Shape> shape_;
    bool has_targets_ = false;
    std::vector<Target> targets_;
    std::shared_ptr<const EncodedRows> encoded_;  // that was decoded last
    std::optional<EncodedRows::Decoded> decoded_;
};

std::string treated_to_text(const Treated& treated);
// bad_data when the text is none that treated_to_text made.
Result<Treated> treated_from_text(std::string_view text);

}  // namespace shaduf
