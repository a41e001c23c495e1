#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/select/spec.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {

// The selectors of selectors.yml, in the order of the file. A plain value.
class YamlSelectors {
public:
    // `tree`: the file, its Jinja rendered; `file` stands in errors. invalid_config: what a definition has wrong, with
    // its line.
    static Result<YamlSelectors> read(const YamlTree& tree, const std::string& file, IndirectSelection indirect);

    // invalid_config: no such selector, and the nearest.
    Result<const SelectionSpec*> find(std::string_view name) const;
    // The selector with `default: true`.
    std::optional<std::string> default_name() const { return default_; }
    std::vector<std::string> names() const;
    // As the manifest has them under `selectors`: criteria of text as maps. JSON.
    std::string json() const;

private:
    friend class SelectorReader;
    struct Named {
        std::string name;
        SelectionSpec spec;
        std::string json;
    };
    std::vector<Named> all_;
    std::optional<std::string> default_;
};

}  // namespace shaduf::models
