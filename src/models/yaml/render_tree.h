#pragma once

#include <functional>
#include <span>

#include "base/result.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {

// Renders one text with Jinja in it: adds exactly one value, of any type, to the builder. `keys`, here and below, are
// those of the maps that it stands in, outermost first.
using RenderText = std::function<Result<void>(const YamlNode& text, std::span<const YamlNode> keys, YamlBuilder& out)>;
// Whether what stands under these keys is rendered now.
using RendersAt = std::function<bool(std::span<const YamlNode> keys)>;

// A copy of the tree with its texts rendered, as dbt renders its YAML files: keys never; texts without Jinja only lose
// one newline at their end; dates become texts. What `renders_at` leaves out stays as it is. The copy points into the
// tree and keeps it. Errors are those of `render`, with no place added.
Result<YamlTree> render_tree(const YamlTree& tree, const RenderText& render, const RendersAt& renders_at = {});

// Whether a text holds any of Jinja's brackets.
bool has_jinja(std::string_view text);

}  // namespace shaduf::models
