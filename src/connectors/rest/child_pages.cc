// Lists are read in rounds: one page of up to `concurrency` lists at once, each by a thread of its own. A round in
// which a list failed keeps what the others brought, and the next call reads only what is missing; so no row is lost or
// doubled by a retry.
#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "connectors/rest/pages.h"
#include "connectors/rest/template.h"

namespace shaduf::rest {
namespace {

constexpr size_t kBatchBytes = 1 << 20;
constexpr auto kBatchTime = std::chrono::seconds(2);

std::string quote_key(const std::string& name) {
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "\":";
}

}  // namespace

ChildPages::ChildPages(const StreamSettings& stream, Client& client, ExtraParams params,
                       std::unique_ptr<PageSource> parent)
    : stream_(stream), client_(client), params_(std::move(params)), parent_(std::move(parent)) {}

Result<std::string> ChildPages::head_of(std::string_view parent_row) const {
    BufferBuilder padded;
    padded.append(parent_row);
    const BufferPtr row = padded.finish();
    std::string head;
    for (const auto& [name, path] : stream_.include) {
        const auto scalar = find_scalar(row->view(), path);
        head += (head.empty() ? "{" : ",") + quote_key(name) + (scalar ? scalar->raw : "null");
    }
    return head;
}

// Keeps `concurrency` lists at work, as long as there are parents.
Result<void> ChildPages::fill_lists(RunContext& run) {
    while (lists_.size() < static_cast<size_t>(client_.concurrency())) {
        if (parent_rows_.empty() && !parent_done_) {
            const auto page = TRY(parent_->next(run));
            if (page) {
                for (size_t i = 0; i < page->rows.size(); ++i) parent_rows_.emplace_back(page->row(i));
            }
            parent_done_ = !page || parent_->done();
            continue;
        }
        if (parent_rows_.empty()) return {};
        List list;
        list.head = TRY(head_of(parent_rows_.front()));
        list.pages = std::make_unique<ListPages>(stream_, client_, params_, std::move(parent_rows_.front()));
        parent_rows_.pop_front();
        lists_.push_back(std::move(list));
    }
    return {};
}

// One page of every list that has none. The first error, after all have ended.
Result<void> ChildPages::read_lists(RunContext& run) {
    const auto read = [&run](List& list) {
        auto page = list.pages->next(run);
        list.error.reset();
        if (!page.ok()) {
            list.error = page.release_error();
            return;
        }
        list.page = page.release_value();
        list.is_fresh = true;
    };
    std::vector<List*> missing;
    for (List& list : lists_) {
        if (!list.is_fresh) missing.push_back(&list);
    }
    {
        std::vector<std::jthread> threads;
        for (size_t i = 1; i < missing.size(); ++i) threads.emplace_back([&, i] { read(*missing[i]); });
        if (!missing.empty()) read(*missing[0]);
    }
    for (const List& list : lists_) {
        if (list.error) return *list.error;
    }
    return {};
}

void ChildPages::append_rows(const List& list, BufferBuilder& text, std::vector<RawRows::Span>& rows) {
    if (!list.page) return;
    for (size_t i = 0; i < list.page->rows.size(); ++i) {
        std::string_view row = list.page->row(i);
        const auto offset = static_cast<uint32_t>(text.size());
        if (!list.head.empty() && row.starts_with('{')) {
            row.remove_prefix(1);
            text.append(list.head);
            if (!trim(row).starts_with('}')) text.append(",");
        }
        text.append(row);
        rows.push_back({offset, static_cast<uint32_t>(text.size() - offset)});
        text.append("\n");
    }
}

Result<std::optional<Page>> ChildPages::next(RunContext& run) {
    const auto started_at = run.clock.steady_now();
    while (text_.size() < kBatchBytes && run.clock.steady_now() - started_at < kBatchTime) {
        TRY(fill_lists(run));
        if (lists_.empty()) break;
        TRY(read_lists(run));
        for (List& list : lists_) {
            append_rows(list, text_, rows_);
            list.is_fresh = false;
            list.page.reset();
        }
        std::erase_if(lists_, [](const List& list) { return list.pages->done(); });
    }
    if (done()) TRY(run.cancellation.check());
    if (rows_.empty() && done()) return std::nullopt;
    return Page{text_.finish(), std::exchange(rows_, {}), stream_.method + " " + stream_.path};
}

}  // namespace shaduf::rest
