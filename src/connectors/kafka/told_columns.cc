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
    explicit ToldFinder(ColumnsTeller teller) : teller_(std::move(teller)) {}

    Result<Found> find(RunContext& run, std::string_view, std::optional<std::string_view> header) override {
        const std::string_view mark = header.value_or("");
        if (reader_ == Found::kNone || (mark != last_mark_ && !is_told(mark))) TRY(ask(run, mark));
        Found found;
        if (!is_told(mark)) {
            found.why = "the columns that the message was written with are not known: " + std::string(mark) +
                        "; was it written by the stream that columns_of names?";
            return found;
        }
        last_mark_ = mark;
        found.reader = reader_;
        return found;
    }

private:
    bool is_told(std::string_view mark) const {
        return mark.empty() || std::find(told_.marks.begin(), told_.marks.end(), mark) != told_.marks.end();
    }

    Result<void> ask(RunContext& run, std::string_view mark) {
        if (mark == unknown_ && run.clock.now() < unknown_until_) return {};
        ToldColumns told = TRY(teller_(run));
        if (told_.schema == nullptr || !(*told.schema == *told_.schema))
            reader_ = add(make_columns_reader(told.schema));
        told_ = std::move(told);
        last_mark_.clear();
        if (is_told(mark)) return {};
        unknown_ = mark;
        unknown_until_ = run.clock.now() + kUnknownFor;
        return {};
    }

    const ColumnsTeller teller_;
    ToldColumns told_;
    uint32_t reader_ = Found::kNone;
    std::string last_mark_;
    std::string unknown_;
    Timestamp unknown_until_;
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

std::unique_ptr<ReaderFinder> find_told(ColumnsTeller teller) {
    return std::make_unique<ToldFinder>(std::move(teller));
}

}  // namespace shaduf::kafka
