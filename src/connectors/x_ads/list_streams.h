#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/row_decoder.h"

namespace shaduf::x_ads {

// A stream of objects of an account.
struct ListStream {
    std::string_view name;
    std::string_view path;                         // behind the account's
    std::string_view key = "id";                   // besides account_id
    bool is_sorted = true;                         // by updated_at: what did not change is not asked for again
    std::string_view params = {};                  // more of the query
    std::span<const std::string_view> texts = {};  // columns of known types, by type
    std::span<const std::string_view> timestamps = {};
    std::span<const std::string_view> amounts = {};
    std::span<const std::string_view> booleans = {};
};
std::span<const ListStream> list_streams();
const ListStream* find_list_stream(std::string_view name);  // nullptr when there is none
std::vector<ShapeColumn> list_columns(const ListStream& stream);

}  // namespace shaduf::x_ads
