#include "data/row_judge.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf {
namespace {

// A number that only has too many digits for a decimal asks for more of them, not for floating point.
DataType widen_for(const DataType& type, const DataType& natural, std::string_view value) {
    const bool is_number = type.kind() == TypeKind::decimal && natural.kind() == TypeKind::float64;
    if (is_number && parse_decimal(value, kDecimalDigitsMax, type.scale())) return DataType::decimal(type.scale());
    return widen(type, natural);
}

}  // namespace

std::optional<Error> RowJudge::drop_row() {
    of_row_.clear();
    ignored_ = ignored_before_;
    return std::exchange(why_, std::nullopt);
}

bool RowJudge::reject(Error why) {
    why_ = std::move(why);
    return false;
}

bool RowJudge::misfit(const TargetColumn& column, const Path& path, const DataType& natural, std::string_view value) {
    if (column.declared || shape_.on_drift == OnDrift::reject_row) {
        return reject(misfit_error(column.name, column.type, value));
    }
    if (shape_.on_drift == OnDrift::ignore) {
        ++ignored_;
    } else {
        // Empty lists and objects have no type of their own; where one stands for a plain value only json holds both.
        const DataType wider = widen_for(column.type, natural, value);
        of_row_.push_back({path, wider == column.type ? DataType(TypeKind::json) : wider, false, row_});
    }
    return true;
}

bool RowJudge::nested_misfit(const TargetColumn& column, const Path& path, const std::optional<DataType>& natural,
                             std::string_view value, size_t misfits) {
    if (shape_.on_drift == OnDrift::ignore && !column.declared) {
        ignored_ += misfits;
        return true;
    }
    return misfit(column, path, natural.value_or(column.type), value);
}

bool RowJudge::reports_new(const Path& path, bool& rejected) {
    if (shape_.ignore_unlisted) return false;
    if (shape_.on_drift == OnDrift::ignore) {
        ++ignored_;
        if (fields_ignored_.size() < kNamesMax) {
            std::string name = join(path, ".");
            const auto known = std::find(fields_ignored_.begin(), fields_ignored_.end(), name);
            if (known == fields_ignored_.end()) fields_ignored_.push_back(std::move(name));
        }
    }
    if (shape_.on_drift == OnDrift::reject_row) {
        rejected = true;
        reject(Error(ErrorKind::bad_data, "field has no column: " + join(path, ".")));
    }
    return shape_.on_drift == OnDrift::report;
}

bool RowJudge::merge_row() {
    for (auto& asked : of_row_) {
        const auto known = std::find_if(drift_.begin(), drift_.end(), [&](const DriftColumn& column) {
            return column.path == asked.path && column.is_new == asked.is_new;
        });
        if (known == drift_.end()) {
            if (drift_.size() >= kNewColumnsMax || shape_.columns.size() + drift_.size() >= kColumnsMax) {
                return reject(Error(ErrorKind::bad_data, "row asks for too many new columns, the first of which is " +
                                                             join(asked.path, ".") + "; keep nested values as json"));
            }
            drift_.push_back(std::move(asked));
        } else {
            known->type = widen(known->type, asked.type);
        }
    }
    of_row_.clear();
    return true;
}

}  // namespace shaduf
