#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/rest/pages.h"
#include "connectors/rest/settings.h"

namespace shaduf::rest {

// Reads one stream of an HTTP API. Where a load can be resumed is what the user knows of the API (`resume`):
// - none, the default: page numbers, offsets and even cursors may point elsewhere once records were added or removed,
// so
//   an interrupted load begins anew. An incremental stream gives its checkpoint, the greatest cursor, at the end; a
//   full refresh gives none at all, so nothing of it is committed before its end.
// - page: pages stay as they are; every page ends in a checkpoint that names the next one.
// - cursor: records come in the rising order of the incremental cursor (an error when they do not); every page ends in
// a
//   checkpoint of the greatest cursor. The next run asks from that value on: rows at the edge come again, and the
//   sink's merge key makes them one.
class RestSource final : public Source {
public:
    // `streams`: the stream itself, its parent, that one's parent ...
    static Result<std::unique_ptr<Source>> create(ConnectionSettings connection, std::vector<StreamSettings> streams,
                                                  ReadMode mode);

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override;
    Result<std::optional<ReadBatch>> read(RunContext& run) override;

private:
    // What a checkpoint holds; all texts may be empty.
    struct Position {
        std::string cursor;  // the greatest value seen
        std::string page;    // the page to go on with, of the list that was asked for with the two below
        std::string from;
        std::string until;
        bool done = false;  // a full refresh that was read to its end
    };

    RestSource(ConnectionSettings connection, std::vector<StreamSettings> streams, ReadMode mode);
    static Result<Position> parse_position(const Checkpoint& checkpoint);
    static Checkpoint to_checkpoint(const Position& position);
    void begin_window(const RunContext& run);
    ExtraParams window_params() const;
    Result<void> see_cursors(const Page& page);
    std::optional<Checkpoint> checkpoint_behind_page() const;
    std::optional<Checkpoint> checkpoint_at_end() const;
    const StreamSettings& stream() const { return streams_.front(); }
    Place place() const { return Place::in_stream(connection_.name, stream().name); }

    const ConnectionSettings connection_;
    const std::vector<StreamSettings> streams_;
    const ReadMode mode_;
    std::vector<std::unique_ptr<Client>> clients_;  // one a stream: archives are kept by stream
    std::unique_ptr<PageSource> pages_;
    Position position_;
    std::string last_cursor_;  // of the record before, in this load
    int64_t rows_given_ = 0;
    bool ended_ = false;
};

}  // namespace shaduf::rest
