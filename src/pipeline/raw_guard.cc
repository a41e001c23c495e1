#include "pipeline/raw_guard.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/decimal.h"

namespace shaduf {
namespace {

constexpr std::string_view kWithheld = "\"(withheld)\"";

bool starts_with(const std::vector<std::string>& path, const std::vector<std::string>& begin) {
    return path.size() >= begin.size() && std::equal(begin.begin(), begin.end(), path.begin());
}

std::vector<std::string> path_of(const ColumnConfig& column) {
    return column.path.empty() ? std::vector<std::string>{column.name} : column.path;
}

// "user__email" may stand at user.email.
std::vector<std::string> unflattened(std::string_view name) {
    std::vector<std::string> path;
    for (auto at = name.find("__", 1); at != std::string_view::npos; at = name.find("__", 1)) {
        path.emplace_back(name.substr(0, at));
        name.remove_prefix(at + 2);
    }
    path.emplace_back(name);
    return path;
}

std::string as_json(std::string_view text) {
    std::string json;
    append_json_string(text, json);
    return json;
}

// A reason without what it shows of the row.
std::string without_values(const std::string& reason) {
    for (const std::string_view mark : {", the value is ", "row is not a JSON object: "}) {
        const auto at = reason.find(mark);
        if (at != std::string::npos) return reason.substr(0, at + mark.size()) + "withheld";
    }
    return reason;
}

RawRows one_row(std::string_view text) {
    RawRows rows;
    BufferBuilder buffer;
    buffer.append(text);
    rows.rows.push_back({0, static_cast<uint32_t>(text.size())});
    rows.text = buffer.finish();
    return rows;
}

std::string raw_of(const ReadBatch& batch, size_t row) {
    if (const auto* text = std::get_if<RawRows>(&batch.rows)) return make_valid_utf8(text->row(row));
    if (const auto* typed = std::get_if<RecordBatch>(&batch.rows)) return typed->row_as_json(row);
    return std::get<std::shared_ptr<const EncodedRows>>(batch.rows)->text(row);
}

}  // namespace

std::string treated_to_text(const Treated& treated) {
    nlohmann::json json = nlohmann::json::object();
    if (!treated.columns.empty()) json["treated"] = treated.columns;
    if (!treated.withheld.empty()) json["withheld"] = treated.withheld;
    return json.dump();
}

Result<Treated> treated_from_text(std::string_view text) {
    try {
        const auto json = nlohmann::json::parse(text);
        Treated treated;
        if (json.contains("treated")) json["treated"].get_to(treated.columns);
        if (json.contains("withheld")) json["withheld"].get_to(treated.withheld);
        return treated;
    } catch (const std::exception& broken) {
        return Error(ErrorKind::bad_data, std::string("column policies of the quarantine is broken: ") + broken.what() +
                                              "; set it back, or remove the row with shaduf quarantine purge");
    }
}

Result<GuardedRow> RawGuard::guard(const ReadBatch& batch, size_t row, const std::string& reason,
                                   const std::shared_ptr<const Shape>& shape) {
    if (policies_.empty()) {
        GuardedRow as_it_is;
        as_it_is.raw = raw_of(batch, row);
        as_it_is.reason = reason;
        // Whatever policies the stream had before.
        const bool was_treated =
            batch.treated != nullptr && !(batch.treated->columns.empty() && batch.treated->withheld.empty());
        if (was_treated) as_it_is.policies = treated_to_text(*batch.treated);
        return as_it_is;
    }
    const auto* text = std::get_if<RawRows>(&batch.rows);
    const auto* typed = std::get_if<RecordBatch>(&batch.rows);
    GuardedRow guarded = text != nullptr    ? TRY(guard_text(*text, row, batch.treated.get(), shape))
                         : typed != nullptr ? TRY(guard_typed(*typed, row, batch.treated.get()))
                                            : TRY(guard_encoded(batch, row));
    guarded.reason = without_values(reason);
    if (!guarded.raw && batch.treated == nullptr) {
        guarded.reason += "; the text of the row is withheld, since the stream has policies";
    }
    return guarded;
}

void RawGuard::add_target(const std::string& column, std::vector<std::string> path, const DataType& type,
                          bool declared) {
    const auto is_known = [&](const Target& target) { return target.column == column && target.path == path; };
    if (std::any_of(targets_.begin(), targets_.end(), is_known)) return;
    Shape shape;
    shape.columns.push_back({column, type, path, declared});
    shape.nesting = contract_.nesting;
    shape.on_drift = OnDrift::ignore;
    shape.ignore_unlisted = true;
    Target target{column, std::move(path), RowDecoder::create(RawFormat::json, shape)};
    const auto reads_it = [&](const std::string& name, const std::vector<std::string>& from) {
        return !equals_ignoring_case(name, column) && starts_with(from, target.path);
    };
    for (const auto& other : contract_.columns) {
        target.is_shared = target.is_shared || reads_it(other.name, path_of(other));
    }
    if (shape_ != nullptr) {
        for (const auto& other : shape_->columns) {
            target.is_shared = target.is_shared || reads_it(other.name, other.path);
        }
    }
    targets_.push_back(std::move(target));
}

void RawGuard::guess_target(const std::string& column, std::vector<std::string> path) {
    const size_t before = targets_.size();
    add_target(column, std::move(path), TypeKind::string, true);
    if (targets_.size() > before) targets_.back().is_guess = true;
}

// The shape knows the path of each column; of one that no row has shown yet, the name tells where it would be.
void RawGuard::find_targets(const std::shared_ptr<const Shape>& shape) {
    if (has_targets_ && shape == shape_) return;
    has_targets_ = true;
    shape_ = shape;
    targets_.clear();
    for (const auto& column : policies_.columns()) {
        const size_t before = targets_.size();
        if (shape != nullptr) {
            for (const auto& known : shape->columns) {
                if (equals_ignoring_case(known.name, column))
                    add_target(column, known.path, known.type, known.declared);
            }
        }
        if (targets_.size() > before) continue;
        for (const auto& listed : contract_.columns) {
            if (!equals_ignoring_case(listed.name, column)) continue;
            add_target(column, path_of(listed), listed.type.value_or(TypeKind::string), true);
        }
        if (targets_.size() > before) continue;
        guess_target(column, {column});
        if (contract_.nesting == Nesting::flatten) guess_target(column, unflattened(column));
    }
}

// Notes in `treated` what it does, as if there were a value.
Result<JsonEdit> RawGuard::edit_of(const std::string& column, std::vector<std::string> path,
                                   const std::optional<std::string>& value, bool is_shared, Treated& treated) const {
    JsonEdit edit{std::move(path), std::string(kWithheld)};
    const auto changed = TRY(policies_.change(column, value.value_or("")));
    if (!is_shared && !changed) {
        edit.replacement.reset();
    } else if (!is_shared && value) {
        edit.replacement = as_json(*changed);
        treated.columns[to_lower(column)] = edit.path;
    }
    return edit;
}

GuardedRow RawGuard::finish(std::string_view text, std::vector<JsonEdit>& edits,
                            const std::vector<std::string>& columns, Treated treated) {
    GuardedRow row;
    row.raw = edit_json(text, edits, kWithheld);
    if (!row.raw) return row;
    for (size_t i = 0; i < edits.size(); ++i) {
        const bool is_withheld = edits[i].was_met && edits[i].replacement == kWithheld;
        if (is_withheld || edits[i].was_blocked) treated.withheld.insert(to_lower(columns[i]));
    }
    if (!treated.columns.empty() || !treated.withheld.empty()) row.policies = treated_to_text(treated);
    return row;
}

Result<GuardedRow> RawGuard::guard_text(const RawRows& rows, size_t row, const Treated* before,
                                        const std::shared_ptr<const Shape>& shape) {
    if (rows.format != RawFormat::json) return GuardedRow();
    find_targets(shape);
    const std::string text = make_valid_utf8(rows.row(row));
    const RawRows alone = one_row(text);
    Treated treated = before == nullptr ? Treated() : *before;
    std::vector<JsonEdit> edits;
    std::vector<std::string> columns;
    for (const auto& target : targets_) {
        if (treated.withheld.contains(to_lower(target.column))) continue;
        if (before != nullptr && before->columns.contains(to_lower(target.column))) continue;
        const Decoded decoded = target.decoder->decode(alone);
        std::optional<std::string> value;
        if (decoded.rows.rows() == 1 && !decoded.rows.column(0).is_null(0)) {
            value = format_value(decoded.rows.column(0), 0);
        }
        edits.push_back(TRY(edit_of(target.column, target.path, value, target.is_shared, treated)));
        edits.back().in_any_case = target.is_guess;
        columns.push_back(target.column);
    }
    return finish(text, edits, columns, std::move(treated));
}

// Bytes that cannot be read may hold anything: nothing of them is kept.
Result<GuardedRow> RawGuard::guard_encoded(const ReadBatch& batch, size_t row) {
    const auto& rows = std::get<std::shared_ptr<const EncodedRows>>(batch.rows);
    if (encoded_ != rows) {
        decoded_ = rows->decode();
        encoded_ = rows;
    }
    const bool is_broken = std::any_of(decoded_->rejected.begin(), decoded_->rejected.end(),
                                       [&](const RejectedRow& rejected) { return rejected.row == row; });
    return is_broken ? GuardedRow() : guard_typed(decoded_->rows, row, batch.treated.get());
}

Result<GuardedRow> RawGuard::guard_typed(const RecordBatch& rows, size_t row, const Treated* before) {
    Treated treated = before == nullptr ? Treated() : *before;
    const std::array<uint32_t, 1> number{static_cast<uint32_t>(row)};
    const RecordBatch alone = rows.take(number);
    std::vector<JsonEdit> edits;
    std::vector<std::string> columns;
    const auto add = [&](const std::string& column, size_t field, const DataType& type,
                         bool is_shared) -> Result<void> {
        if (alone.column(field).is_null(0)) return {};
        const bool fits_type = fits(alone.column(field).type, type);
        const Column value =
            fits_type ? TRY(widen_column(alone.column(field), type)) : to_decimals(alone.column(field), type).column;
        const auto text = value.is_null(0) ? std::nullopt : std::optional(format_value(value, 0));
        edits.push_back(TRY(edit_of(column, {(*rows.schema())[field].name}, text, is_shared, treated)));
        columns.push_back(column);
        return {};
    };
    for (const auto& column : policies_.columns()) {
        bool is_listed = false;
        for (const auto& listed : contract_.columns) {
            const auto field = rows.schema()->index_of(path_of(listed).front());
            if (!field || !equals_ignoring_case(listed.name, column)) continue;
            const auto readers =
                std::count_if(contract_.columns.begin(), contract_.columns.end(), [&](const auto& other) {
                    return equals_ignoring_case(path_of(other).front(), path_of(listed).front());
                });
            is_listed = true;
            TRY(add(column, *field, listed.type.value_or(alone.column(*field).type), readers > 1));
        }
        const auto field = rows.schema()->index_of(column);
        if (!is_listed && field) TRY(add(column, *field, alone.column(*field).type, false));
    }
    return finish(alone.row_as_json(0), edits, columns, std::move(treated));
}

}  // namespace shaduf
