#pragma once

#include "jinja/value.h"

namespace shaduf::models {

// A value that nobody else has: lists and dicts in it are new ones. What nodes share must be handed to templates so,
// which may change what they are given.
jinja::Value own_copy(const jinja::Value& value);

}  // namespace shaduf::models
