#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/buffer.h"
#include "data/raw_rows.h"

namespace shaduf::x_ads {

// X gives money as whole numbers of a millionth of the currency unit, in members that end so. Columns have the amount,
// exactly, and are called without the ending.
inline constexpr std::string_view kMicroSuffix = "_local_micro";
// "1234567" (or the same in quotes) as "1.234567"; nullopt when it is no whole number.
std::optional<std::string> micros_as_decimal(std::string_view raw);
// The decimal as above; what is none as a JSON text that fits no decimal, so that its row goes to quarantine.
void append_micros(std::string_view raw, std::string& out);

using Members = std::vector<std::pair<std::string, std::string>>;

// The objects of the list `data` of an answer as rows: `members` come first and take the place of members of the same
// name, amounts are decimals.
Result<RawRows> list_rows(const BufferPtr& body, const Members& members, std::string place);

}  // namespace shaduf::x_ads
