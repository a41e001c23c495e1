#include "connectors/kafka/told_columns.h"

#include <algorithm>

#include "connectors/kafka/checkpoint_topic.h"
#include "connectors/kafka/columns_reader.h"

namespace shaduf::kafka {
namespace {

// How long a mark that nobody knows is not asked for again.
constexpr auto kUnknownFor = std::chrono::seconds(30);

class ToldFinder final : public ReaderFinder {
public:
    explicit ToldFinder(ColumnsTeller teller) : book_(std::move(teller)) {}

    bool goes_by_marks() const override { return true; }

    Result<Found> find(RunContext& run, std::string_view, std::optional<std::string_view> header) override {
        const std::string_view mark = header.value_or("");
        Found found;
        if (!TRY(book_.knows(run, mark))) {
            found.why = ColumnsBook::why_unknown(mark);
            return found;
        }
        if (book_.columns() != columns_) {
            columns_ = book_.columns();
            reader_ = add(make_columns_reader(columns_));
        }
        found.reader = reader_;
        return found;
    }

private:
    ColumnsBook book_;
    SchemaPtr columns_;  // of the reader
    uint32_t reader_ = Found::kNone;
};

}  // namespace

ColumnsTeller tell_columns_of(Connection connection, std::string stream) {
    return [connection = std::move(connection), stream = std::move(stream)](RunContext& run) -> Result<ToldColumns> {
        StandingRecord all;
        for (const auto& record : TRY(read_standing(run, connection, Absence::is_trouble))) {
            if (record.writes_for(stream)) all.join_columns(record);
        }
        if (all.table) return ToldColumns{std::make_shared<const Schema>(*all.table), std::move(all.marks)};
        return Error(ErrorKind::invalid_config, "columns are told by no stream of that name: " + stream +
                                                    "; see columns_of, and topic " + std::string(kCheckpointTopic));
    };
}

bool ColumnsBook::is_told(std::string_view mark) const {
    return mark.empty() || std::find(told_.marks.begin(), told_.marks.end(), mark) != told_.marks.end();
}

Result<bool> ColumnsBook::knows(RunContext& run, std::string_view mark) {
    if (told_.schema != nullptr && (mark == last_ || is_told(mark))) {
        last_ = mark;
        return true;
    }
    if (mark == unknown_ && run.clock.now() < unknown_until_) return false;
    ToldColumns told = TRY(teller_(run));
    // Who compares columns by their address goes on with the old ones.
    if (told_.schema != nullptr && *told.schema == *told_.schema) told.schema = told_.schema;
    told_ = std::move(told);
    last_.clear();
    if (is_told(mark)) return true;
    unknown_ = mark;
    unknown_until_ = run.clock.now() + kUnknownFor;
    return false;
}

std::string ColumnsBook::why_unknown(std::string_view mark) {
    return "the columns that the message was written with are not known: " + std::string(mark) +
           "; was it written by the stream that columns_of names?";
}

std::unique_ptr<ReaderFinder> find_told(ColumnsTeller teller) {
    return std::make_unique<ToldFinder>(std::move(teller));
}

}  // namespace shaduf::kafka
