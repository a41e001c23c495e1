#include "connectors/rest/source.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/run_events.h"
#include "connectors/rest/cursor.h"
#include "connectors/rest/template.h"

namespace shaduf::rest {
namespace {

constexpr int kPositionVersion = 1;

Error config_error(const StreamSettings& stream, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(stream.place);
}

Result<void> check_stream(const StreamSettings& stream) {
    const bool is_child = !stream.parent.empty();
    if (!is_child && !placeholders_of(stream.path, PlaceholderForm::url_part).empty())
        return config_error(stream, "path has placeholders, but the stream has no parent: " + stream.path +
                                        "; set parent to the stream whose records fill them");
    if (!is_child && !stream.include.empty())
        return config_error(stream, "include needs a parent; set parent to the stream whose fields are taken");
    if (is_child && stream.resume != Resume::none)
        return config_error(stream, "a child stream cannot be resumed within a load; leave resume out");
    if (stream.resume == Resume::cursor && !stream.incremental)
        return config_error(stream, "resume: cursor needs the incremental cursor; set incremental");
    const PagingSettings& paging = stream.paging;
    if (paging.kind == PagingKind::cursor && paging.cursor_path.empty() == paging.record_path.empty())
        return config_error(
            stream, "paginate type cursor needs cursor_path (in the answer) or record_path (in its last record)");
    if (paging.kind == PagingKind::next_url && paging.cursor_path.empty())
        return config_error(stream, "paginate type next_url needs cursor_path, where the next URL stands");
    if (paging.kind == PagingKind::header_cursor && paging.header.empty())
        return config_error(stream, "paginate type header_cursor needs header, its name");
    if (paging.stop == StopAt::short_page && paging.size <= 0)
        return config_error(stream, "paginate stop: short_page needs size, the records of a whole page");
    return {};
}

}  // namespace

RestSource::RestSource(ConnectionSettings connection, std::vector<StreamSettings> streams, ReadMode mode)
    : connection_(std::move(connection)), streams_(std::move(streams)), mode_(mode) {}

Result<std::unique_ptr<Source>> RestSource::create(ConnectionSettings connection, std::vector<StreamSettings> streams,
                                                   ReadMode mode) {
    for (const StreamSettings& stream : streams) TRY(check_stream(stream));
    if (mode != ReadMode::full_refresh && mode != ReadMode::incremental)
        return config_error(streams.front(), "a rest stream is read by mode full_refresh or incremental only");
    if (mode == ReadMode::incremental && !streams.front().incremental)
        return config_error(streams.front(), "mode incremental needs to know the cursor; set incremental");
    return std::unique_ptr<Source>(new RestSource(std::move(connection), std::move(streams), mode));
}

Result<RestSource::Position> RestSource::parse_position(const Checkpoint& checkpoint) {
    const auto json = nlohmann::json::parse(checkpoint.value(), nullptr, false);
    const auto text = [&](const char* key) {
        const auto found = json.find(key);
        return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    if (json.is_discarded() || !json.is_object() || !json.contains("v") || json["v"] != kPositionVersion)
        return Error(ErrorKind::invalid_config, "checkpoint is none of version " + std::to_string(kPositionVersion) +
                                                    " of a rest stream: " + checkpoint.value().substr(0, 100) +
                                                    "; reset the stream's state to read it anew");
    return Position{text("cursor"), text("page"), text("from"), text("until"), json.value("done", false)};
}

Checkpoint RestSource::to_checkpoint(const Position& position) {
    nlohmann::json json = {{"v", kPositionVersion}};
    const auto add = [&](const char* key, const std::string& text) {
        if (!text.empty()) json[key] = text;
    };
    add("cursor", position.cursor);
    add("page", position.page);
    add("from", position.from);
    add("until", position.until);
    if (position.done) json["done"] = true;
    return Checkpoint(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// What the parameters of the incremental cursor say in this load.
void RestSource::begin_window(const RunContext& run) {
    if (!stream().incremental || !position_.page.empty()) return;
    const IncrementalSettings& incremental = *stream().incremental;
    position_.from = incremental.start.empty() ? "" : format_cursor(incremental.start, incremental.format, {});
    if (!position_.cursor.empty() && mode_ == ReadMode::incremental)
        position_.from = format_cursor(position_.cursor, incremental.format, incremental.lookback);
    if (!incremental.end_param.empty()) position_.until = format_cursor(run.clock.now(), incremental.format);
}

ExtraParams RestSource::window_params() const {
    ExtraParams params;
    if (!stream().incremental) return params;
    const IncrementalSettings& incremental = *stream().incremental;
    if (!incremental.param.empty() && !position_.from.empty()) params.emplace_back(incremental.param, position_.from);
    if (!position_.until.empty()) params.emplace_back(incremental.end_param, position_.until);
    return params;
}

Result<void> RestSource::open(RunContext& run, const std::optional<Checkpoint>& resume_from) {
    position_ = resume_from ? TRY(parse_position(*resume_from)) : Position{};
    last_cursor_.clear();
    rows_given_ = 0;
    ended_ = position_.done;
    if (ended_)
        run.events.message(Severity::info, place().to_string(), "was read to its end before; nothing is left to read");
    if (mode_ == ReadMode::full_refresh && position_.page.empty()) position_.cursor.clear();
    begin_window(run);

    pages_.reset();
    clients_.clear();
    for (size_t i = streams_.size(); i-- > 0;) {
        clients_.push_back(TRY(Client::create(run, connection_, streams_[i].name)));
        TRY(clients_.back()->remove_old_answers(run));
        const ExtraParams params = i == 0 ? window_params() : ExtraParams{};
        if (streams_[i].parent.empty()) {
            auto list = std::make_unique<ListPages>(streams_[i], *clients_.back(), params);
            if (i == 0) list->resume(position_.page);
            pages_ = std::move(list);
        } else {
            pages_ = std::make_unique<ChildPages>(streams_[i], *clients_.back(), params, std::move(pages_));
        }
    }
    return {};
}

Result<void> RestSource::see_cursors(const Page& page) {
    if (!stream().incremental) return {};
    std::string greatest = position_.cursor;
    std::string last = last_cursor_;
    for (size_t i = 0; i < page.rows.size(); ++i) {
        const auto value = find_scalar(page.row(i), stream().incremental->cursor);
        if (!value) continue;
        if (stream().resume == Resume::cursor && !last.empty() && compare_cursors(value->text, last) < 0)
            return Error(ErrorKind::bad_data, "records do not come in the rising order of the cursor: " + value->text +
                                                  " after " + last + " in " + page.place +
                                                  "; ask the API to sort them, or leave out resume: cursor");
        last = value->text;
        if (greatest.empty() || compare_cursors(value->text, greatest) > 0) greatest = value->text;
    }
    position_.cursor = std::move(greatest);
    last_cursor_ = std::move(last);
    return {};
}

std::optional<Checkpoint> RestSource::checkpoint_behind_page() const {
    if (stream().resume == Resume::none) return std::nullopt;
    Position next = position_;
    next.page.clear();
    if (stream().resume == Resume::cursor) {
        if (mode_ != ReadMode::incremental || next.cursor.empty()) return std::nullopt;
        next.from.clear();
        next.until.clear();
        return to_checkpoint(next);
    }
    const auto token = pages_->token();
    if (!token || token->empty()) return std::nullopt;
    next.page = *token;
    return to_checkpoint(next);
}

std::optional<Checkpoint> RestSource::checkpoint_at_end() const {
    Position end;
    if (mode_ == ReadMode::incremental) {
        if (position_.cursor.empty()) return std::nullopt;
        end.cursor = position_.cursor;
        return to_checkpoint(end);
    }
    if (stream().resume != Resume::page) return std::nullopt;
    end.done = true;
    return to_checkpoint(end);
}

Result<std::optional<ReadBatch>> RestSource::read(RunContext& run) {
    while (!ended_) {
        auto next = pages_->next(run);
        if (!next.ok()) return next.error().at(place());
        std::optional<Page> page = next.release_value();
        ended_ = !page || pages_->done();
        if (page) {
            auto seen = see_cursors(*page);
            if (!seen.ok()) return seen.error().at(place());
        }
        if (!ended_ && page->rows.empty()) continue;
        ReadBatch batch;
        batch.next = ended_ ? checkpoint_at_end() : checkpoint_behind_page();
        RawRows rows;
        rows.text = page ? page->text : BufferBuilder().finish();
        if (page) {
            rows.rows = std::move(page->rows);
            rows.place = std::move(page->place);
        }
        // Rows of many lists come in one batch: they are counted through.
        rows.first_row = stream().parent.empty() ? 1 : rows_given_ + 1;
        rows_given_ += static_cast<int64_t>(rows.rows.size());
        batch.place = rows.place;
        batch.rows = std::move(rows);
        return batch;
    }
    return std::nullopt;
}

}  // namespace shaduf::rest
