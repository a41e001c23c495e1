#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/ads/slice.h"
#include "connectors/google_ads/columns.h"
#include "data/batch.h"
#include "data/row_decoder.h"

namespace shaduf::google_ads {

struct DecodedRows {
    RecordBatch rows;
    std::vector<RejectedRow> rejected;  // stand in `rows` with null where the value does not fit
};

// Turns rows of an answer, one a line, into columns. Immutable and thread-safe once made.
class RowReader {
public:
    explicit RowReader(RowPlan plan);
    // `lines` is readable for 16 bytes behind its end.
    DecodedRows read(const ads::Account& account, std::string_view lines) const;

    // An object of the rows, or a field.
    struct Node {
        std::string key;
        std::vector<size_t> children;  // empty: a field
        int column = -1;
    };

private:
    void add_path(size_t column);

    RowPlan plan_;
    SchemaPtr schema_;
    size_t account_columns_ = 0;
    std::vector<Node> nodes_;      // the first is the row itself
    std::vector<size_t> parents_;  // of each column: the object that has it
    int status_column_ = -1;       // that says REMOVED of what is gone
};

}  // namespace shaduf::google_ads
