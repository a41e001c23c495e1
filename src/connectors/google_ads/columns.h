#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/type.h"

namespace shaduf::google_ads {

// What the system's catalogue (GoogleAdsFieldService) says of a field.
struct FieldInfo {
    std::string name;       // "metrics.cost_micros"
    std::string category;   // RESOURCE, ATTRIBUTE, SEGMENT, METRIC
    std::string data_type;  // INT64, DOUBLE, STRING, ENUM, DATE, MESSAGE ...
    bool is_repeated = false;
};

// How the JSON of a field becomes the value of a column.
enum class Form : uint8_t {
    text,
    integer,
    real,
    boolean,
    date,
    micros,  // a whole or broken number of millionths of the currency: an amount
    json,
};

// What a field is when the answer leaves it out, as the API does with zeros.
enum class Absent : uint8_t {
    zero,     // 0, false
    plain,    // 0, false, "": where the message that it belongs to is there; else null
    nothing,  // null
};

struct ColumnPlan {
    std::string field;  // path in the answer: "campaign.id"
    std::string name;   // "campaign_id"
    Form form = Form::text;
    Absent absent = Absent::nothing;
    bool operator==(const ColumnPlan&) const = default;
};

// The columns of rows with these fields. Names are the fields' with _ for each dot; amounts lose their _micros, where
// no other field has that name; whole numbers named id are text.
std::vector<ColumnPlan> plan_columns(const std::vector<FieldInfo>& fields);
// Adds the column of each resource's name.
void add_resource_names(std::vector<ColumnPlan>& columns);
DataType type_of(Form form);

// What `parse` needs of a page besides its rows: the note of a page.
struct RowPlan {
    std::vector<ColumnPlan> columns;
    bool marks_deleted = false;  // rows have _deleted
    bool is_deleted = false;     // the rows of this page are known by their keys only: they are gone

    std::string to_note() const;
    // internal for anything but what to_note gives.
    static Result<RowPlan> of_note(std::string_view note);
};

// The columns of all rows of a stream: those of the account, those of the fields, _deleted.
Schema schema_of(const RowPlan& plan);

inline constexpr std::string_view kAccountColumn = "customer_id";
inline constexpr std::string_view kDayColumn = "segments_date";
inline constexpr std::string_view kDeletedColumn = "_deleted";

}  // namespace shaduf::google_ads
