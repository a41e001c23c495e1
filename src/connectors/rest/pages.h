#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/rest/client.h"
#include "connectors/rest/paging.h"
#include "connectors/rest/settings.h"
#include "data/buffer.h"
#include "data/raw_rows.h"

namespace shaduf::rest {

// Records of one answer, or of several small ones behind each other.
struct Page {
    BufferPtr text;
    std::vector<RawRows::Span> rows;
    std::string place;  // method and URL, without secrets

    std::string_view row(size_t i) const { return text->view().substr(rows[i].offset, rows[i].length); }
};

// The pages of a stream, in order. A `next` that failed can be called again and goes on where it was. One thread.
class PageSource {
public:
    virtual ~PageSource() = default;
    // nullopt: that was all.
    virtual Result<std::optional<Page>> next(RunContext& run) = 0;
    // Where to begin in another run: behind the last page given. nullopt when there is no such point.
    virtual std::optional<std::string> token() const { return std::nullopt; }
    virtual bool done() const = 0;
};

// Parameters that a run adds to every request: those of the incremental cursor.
using ExtraParams = std::vector<std::pair<std::string, std::string>>;

// The pages of one list. `parent_row` fills the placeholders of a child's request. `stream` and `client` outlive it.
class ListPages final : public PageSource {
public:
    ListPages(const StreamSettings& stream, Client& client, ExtraParams params, const std::string& parent_row = {});

    void resume(std::string token) { paging_.resume(std::move(token)); }
    Result<std::optional<Page>> next(RunContext& run) override;
    std::optional<std::string> token() const override { return paging_.token(); }
    bool done() const override { return paging_.done(); }

private:
    Result<HttpRequest> first_request() const;
    Result<void> read_records(const HttpResponse& response, Page& page, std::optional<JsonPage>& json) const;

    const StreamSettings& stream_;
    Client& client_;
    const ExtraParams params_;
    const BufferPtr parent_row_;
    Paging paging_;
};

// For each record of a parent stream, the pages of a list of its own; the lists of several parents are read at once.
// Fields of the parent's record are put before those of the child's.
class ChildPages final : public PageSource {
public:
    ChildPages(const StreamSettings& stream, Client& client, ExtraParams params, std::unique_ptr<PageSource> parent);

    Result<std::optional<Page>> next(RunContext& run) override;
    bool done() const override { return parent_done_ && parent_rows_.empty() && lists_.empty(); }

private:
    // The list of one parent, and its page that was read last.
    struct List {
        std::string head;  // the parent's fields, as the beginning of a JSON object: {"a":1,
        std::unique_ptr<ListPages> pages;
        std::optional<Page> page;
        std::optional<Error> error;
        bool is_fresh = false;  // `page` has not been taken over
    };

    Result<void> fill_lists(RunContext& run);
    Result<std::string> head_of(std::string_view parent_row) const;
    Result<void> read_lists(RunContext& run);
    static void append_rows(const List& list, BufferBuilder& text, std::vector<RawRows::Span>& rows);

    const StreamSettings& stream_;
    Client& client_;
    const ExtraParams params_;
    const std::unique_ptr<PageSource> parent_;
    bool parent_done_ = false;
    std::deque<std::string> parent_rows_;
    std::vector<List> lists_;
    // Rows of finished rounds, kept when a later round fails.
    BufferBuilder text_;
    std::vector<RawRows::Span> rows_;
};

}  // namespace shaduf::rest
