#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "connectors/kafka/decoder.h"
#include "connectors/kafka/payload_reader.h"
#include "connectors/kafka/settings.h"

namespace shaduf::kafka {

// Asks the brokers of `connection` what the sink of a stream ("pipeline/stream") keeps of its columns. Its errors:
// invalid_config when no such stream has written; what the brokers say.
ColumnsTeller tell_columns_of(Connection connection, std::string stream);

// What was told last of the columns that messages were written with. They only ever become more and wider, so that the
// last ones hold all that came before; the teller is asked again when a message bears a mark that is not among those
// told. One thread.
class ColumnsBook {
public:
    explicit ColumnsBook(ColumnsTeller teller) : teller_(std::move(teller)) {}

    // Whether the columns of a message hold what was written with those of `mark`, by now; "": a message that bears
    // none, which is read along them whatever it is.
    Result<bool> knows(RunContext& run, std::string_view mark);
    // REQUIRES: `knows` was called
    const SchemaPtr& columns() const { return told_.schema; }
    static std::string why_unknown(std::string_view mark);

private:
    bool is_told(std::string_view mark) const;

    const ColumnsTeller teller_;
    ToldColumns told_;
    std::string last_;  // that was told
    std::string unknown_;
    Timestamp unknown_until_;
};

// Finds the reader of JSON objects that were written with such columns.
std::unique_ptr<ReaderFinder> find_told(ColumnsTeller teller);

}  // namespace shaduf::kafka
