#include "connectors/x_ads/list_fetcher.h"

#include <algorithm>

#include "connectors/x_ads/list_rows.h"
#include "data/json_page.h"
#include "io/url.h"

namespace shaduf::x_ads {
namespace {

class ListFetcher final : public ads::SliceFetcher {
public:
    ListFetcher(std::shared_ptr<const Api> api, const ListStream& stream) : api_(std::move(api)), stream_(stream) {}

    ads::SliceKind kind() const override {
        return stream_.is_sorted ? ads::SliceKind::changes : ads::SliceKind::by_account;
    }
    ads::SliceColumns columns() const override { return {.account = "account_id", .day = "", .part = ""}; }
    std::vector<ShapeColumn> known_columns() const override { return list_columns(stream_); }

    Result<ads::StreamPlan> plan(RunContext& run, ads::Memory&) override {
        accounts_ = TRY(api_->accounts(run));
        ads::StreamPlan plan;
        for (const AccountRecord& record : *accounts_) plan.accounts.push_back(record.account);
        return plan;
    }

    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory&, ads::SliceOutput& out) override {
        if (stream_.path.empty()) return out.give(run, account_page(slice.account.id));
        const std::string path = "/accounts/" + slice.account.id + std::string(stream_.path);
        QueryParams params{{"count", "1000"}};
        if (stream_.is_sorted) {
            params.emplace_back("sort_by", "updated_at-desc");
            params.emplace_back("with_deleted", "true");
        }
        for (const auto& param : parse_query(stream_.params)) params.push_back(param);
        std::string newest = slice.cursor;
        for (std::string cursor;;) {
            QueryParams page_params = params;
            if (!cursor.empty()) page_params.emplace_back("cursor", cursor);
            const auto body = TRY(api_->get(run, Family::entities, slice.account.id, path, page_params));
            const auto page = TRY(JsonPage::parse(body, path));
            const std::string oldest = TRY(note_times(page, newest));
            TRY(out.give(run, ads::Page{body, ""}));
            if (!oldest.empty() && oldest < slice.cursor) break;
            const auto next = page.scalar({"next_cursor"});
            if (!next || next->text.empty()) break;
            if (next->text == cursor)
                return Error(ErrorKind::bad_data, "list does not end: the same cursor came twice: " + cursor);
            cursor = next->text;
        }
        if (stream_.is_sorted) out.set_cursor(newest);
        return {};
    }

    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override {
        const Members members{{"account_id", slice.account.id},
                              {"account_time_zone", slice.account.time_zone},
                              {"account_currency", slice.account.currency}};
        ReadBatch batch;
        batch.place = std::string(stream_.name) + " of " + slice.to_string();
        batch.rows = TRY(list_rows(page.body, members, batch.place));
        return batch;
    }

private:
    // The time of the page's last object, "" where there is none; `newest` becomes the newest one.
    Result<std::string> note_times(const JsonPage& page, std::string& newest) const {
        std::string last;
        if (!stream_.is_sorted) return last;
        for (const RawRows::Span& span : TRY(page.records({"data"}))) {
            const auto time = find_scalar(page.body()->view().substr(span.offset, span.length), {"updated_at"});
            last = time ? time->text : "";
            newest = std::max(newest, last);
        }
        return last;
    }

    // The account as `plan` got it: the endpoint of accounts allows few calls.
    ads::Page account_page(const std::string& id) const {
        BufferBuilder body;
        body.append("{\"data\":[");
        for (const AccountRecord& record : *accounts_) {
            if (record.account.id == id) body.append(record.json);
        }
        body.append("]}");
        return {body.finish(), ""};
    }

    const std::shared_ptr<const Api> api_;
    const ListStream& stream_;
    std::shared_ptr<const AccountList> accounts_;
};

}  // namespace

std::unique_ptr<ads::SliceFetcher> make_list_fetcher(std::shared_ptr<const Api> api, const ListStream& stream) {
    return std::make_unique<ListFetcher>(std::move(api), stream);
}

}  // namespace shaduf::x_ads
