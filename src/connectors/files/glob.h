#pragma once

#include <string>
#include <string_view>

namespace shaduf::files {

// Shell patterns over keys: "?" and "*" stand for characters but "/", "**" also for "/" ("a/**/b" matches "a/b" too),
// "[a-z]" and "[!a-z]" for one of a set, "{a,b}" for either. All else stands for itself.
bool matches_glob(std::string_view pattern, std::string_view key);

// What every matching key begins with; what a listing is asked for.
std::string fixed_prefix(std::string_view pattern);

}  // namespace shaduf::files
