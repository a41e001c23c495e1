#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/yaml_edit.h"
#include "config/yaml_layout.h"

namespace shaduf {

// Makes one edit on the bytes of a text. `root` is its layout, and stays as it is. What comes out is to be checked:
// rare forms of YAML are not foreseen here. invalid_config: the edit cannot be made.
Result<std::string> splice_yaml(std::string_view text, const std::string& file, YamlPiece& root, const YamlEdit& edit);

}  // namespace shaduf
