#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/pipeline_config.h"
#include "connectors/connector.h"
#include "data/batch.h"

namespace shaduf {

// What is done to columns between the expectations and the sink, so that what may not be kept never reaches it.
// Thread-safe.
class Policies {
public:
    // invalid_config when a policy needs the policy key and `key` is empty, or a column has two policies.
    static Result<std::unique_ptr<Policies>> create(const std::vector<PolicyConfig>& configs, const std::string& key);
    ~Policies();

    // The batch as the sink may see it. Values that are not text are hashed, masked, cut and tokenized as they print.
    // Columns of `treated`, which may be null, are left as they are.
    Result<RecordBatch> apply(const RecordBatch& rows, const Treated* treated = nullptr) const;

    bool empty() const { return policies_.empty(); }
    // Columns with a policy, as the user wrote them.
    std::vector<std::string> columns() const;
    // One value of a column of `columns`, as it prints. nullopt: the policy drops it.
    Result<std::optional<std::string>> change(const std::string& column, std::string_view value) const;

    // Columns that no batch had: a policy that meets nothing hides nothing.
    std::vector<std::string> unmet() const;

    // Columns whose type in the table differs from the one they are read with.
    std::set<std::string> retyped() const;

private:
    struct Policy;
    explicit Policies(std::vector<std::unique_ptr<Policy>> policies);

    const std::vector<std::unique_ptr<Policy>> policies_;
};

}  // namespace shaduf
