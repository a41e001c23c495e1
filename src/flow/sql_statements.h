#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shaduf {

// The statements of a script, parted by semicolons that stand in no text, name, comment or dollar quote; those of
// nothing but comments are left out.
std::vector<std::string> split_statements(std::string_view script);

}  // namespace shaduf
