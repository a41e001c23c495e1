#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {

enum class YamlStrip : uint8_t {
    as_dbt,  // white space before and behind the document does not count: all files of a project
    none,    // profiles.yml
};

// A document as PyYAML's safe loader reads it, which is how dbt sees it: YAML 1.1 scalars (yes, on, 017, 1:30, dates),
// merge keys, aliases, the last of equal keys. Lines in nodes are those of `text` as given.
// invalid_config with "file:line: what": not YAML, not UTF-8, more than one document, an unknown tag, or past a limit:
// 64 MB, 200 levels, 5,000,000 values with those that aliases repeat.
Result<YamlTree> parse_yaml(std::string_view text, const std::string& file, YamlStrip strip = YamlStrip::as_dbt);

// The same of a file; shown in messages as `shown_as`.
Result<YamlTree> load_yaml(const std::string& path, const std::string& shown_as, YamlStrip strip = YamlStrip::as_dbt);

// A small file whole, at most 64 MB. invalid_config when it cannot be read.
Result<std::string> read_text_file(const std::string& path, const std::string& shown_as);

}  // namespace shaduf::models
