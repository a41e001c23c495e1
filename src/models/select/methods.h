#pragma once

#include <functional>
#include <string>

#include "models/select/members.h"
#include "models/select/spec.h"

namespace shaduf::models {

// What one criterion asks of each member: whether it is one of its own, whatever operators stand around it.
using MemberTest = std::function<bool(const Members& members, size_t index)>;

struct MethodWorld {
    std::string root_package;
    std::string project_root;
};

// For all methods but state, result, source_status and selector. invalid_config: a value that the method does not know.
Result<MemberTest> member_test(const Criterion& criterion, const MethodWorld& world);

}  // namespace shaduf::models
