#include "models/select/methods.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <memory>
#include <unordered_map>

#include "base/text.h"
#include "models/select/glob.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

Error bad_value(const Criterion& criterion, std::string_view takes) {
    return {ErrorKind::invalid_config, "Invalid " + std::string(to_string(criterion.method)) + " selector value \"" +
                                           criterion.value + "\": " + std::string(takes)};
}

// "a.b*": literal names in front, and a pattern from the first name with a wildcard.
struct NamePattern {
    std::string whole, literal, pattern;
    size_t parts = 0;
    bool has_wildcard = false;
    bool has_dot = false;

    explicit NamePattern(const std::string& text) : whole(text), has_dot(text.find('.') != std::string::npos) {
        parts = static_cast<size_t>(std::count(text.begin(), text.end(), '.')) + 1;
        size_t begin = 0;
        while (begin <= text.size()) {
            const size_t end = std::min(text.find('.', begin), text.size());
            if (is_glob(std::string_view(text).substr(begin, end - begin))) {
                has_wildcard = true;
                pattern = text.substr(begin);
                break;
            }
            begin = end + 1;
        }
        literal = has_wildcard ? text.substr(0, begin) : text;
    }

    // `text` is the names joined, `leaf` the one that a bare name means.
    bool matches(std::string_view text, std::string_view leaf) const {
        if (has_wildcard) {
            const auto count = static_cast<size_t>(std::count(text.begin(), text.end(), '.')) + 1;
            if (count >= parts && text.starts_with(literal) && matches_glob(text.substr(literal.size()), pattern))
                return true;
            return count >= parts && !has_dot && matches_glob(leaf, whole);
        }
        if (!text.starts_with(literal)) return false;
        return text.size() == literal.size() || text[literal.size()] == '.';
    }
};

// The last two names may also be joined by an underscore: orders_v2 is orders.v2.
bool matches_version(const std::vector<std::string>& fqn, const std::string& wanted) {
    if (fqn.size() < 2) return false;
    const auto parts = split(wanted, '.');
    std::string joined(parts.back());
    if (parts.size() > 1) joined = std::string(parts[parts.size() - 2]) + "_" + joined;
    return fqn[fqn.size() - 2] + "_" + fqn.back() == joined;
}

MemberTest fqn_test(const Criterion& criterion) {
    return [pattern = NamePattern(criterion.value)](const Members& members, size_t index) {
        const Member& member = members[index];
        if (member.source != nullptr) return false;
        const auto& fqn = *member.fqn;
        if (fqn.empty()) return false;
        const bool is_versioned = member.is_versioned() && fqn.size() > 1;
        const std::string& leaf = is_versioned ? fqn[fqn.size() - 2] : fqn.back();
        if (leaf == pattern.whole || (is_versioned && matches_version(fqn, pattern.whole))) return true;
        const std::string_view text = members.fqn_text(index);
        if (pattern.matches(text, leaf)) return true;
        return fqn.size() > 1 && pattern.matches(text.substr(fqn.front().size() + 1), leaf);
    };
}

// source:a.b, exposure:package.name, ...: up to so many names from the right, each a pattern.
Result<MemberTest> named_test(const Criterion& criterion, ResourceType type) {
    const auto parts = split(criterion.value, '.');
    const bool is_source = type == ResourceType::source;
    if (parts.size() > (is_source ? 3U : 2U)) {
        return bad_value(criterion, is_source ? "sources are of the form source_name, source_name.table_name or "
                                                "package_name.source_name.table_name"
                                              : "it is of the form name or package_name.name");
    }
    std::string package = "*", source = "*", name = "*";
    if (is_source) {
        source = parts[parts.size() == 3 ? 1 : 0];
        if (parts.size() > 1) name = parts.back();
        if (parts.size() == 3) package = parts[0];
    } else {
        name = parts.back();
        if (parts.size() == 2) package = parts[0];
    }
    return MemberTest([=](const Members& members, size_t index) {
        const Member& member = members[index];
        return member.type == type && matches_glob(member.package, package) &&
               (member.source == nullptr || matches_glob(member.source->source_name, source)) &&
               matches_glob(member.name, name);
    });
}

// Whether a path is one of the files and folders of the project that the pattern names. Looked up once each.
class PathPattern {
public:
    PathPattern(std::string pattern, std::string root) : pattern_(std::move(pattern)), root_(std::move(root)) {
        while (pattern_.starts_with("./")) pattern_.erase(0, 2);
    }
    bool matches(const std::string& path) {
        const auto [known, is_new] = known_.try_emplace(path, false);
        if (is_new && matches_path_glob(path, pattern_)) {
            std::error_code failure;
            known->second = std::filesystem::exists(std::filesystem::path(root_) / path, failure);
        }
        return known->second;
    }

private:
    std::string pattern_;
    const std::string root_;
    std::unordered_map<std::string, bool> known_;
};

Result<MemberTest> path_test(const Criterion& criterion, const MethodWorld& world) {
    if (criterion.value.empty() || criterion.value.front() == '/') {
        return bad_value(criterion, "a path is given below the project's folder: path:models/staging");
    }
    auto paths = std::make_shared<PathPattern>(criterion.value, world.project_root);
    return MemberTest([paths](const Members& members, size_t index) {
        const Member& member = members[index];
        std::string path = member.place->original_path;
        if (paths->matches(path)) return true;
        const size_t scheme = member.patch_path.find("://");
        if (scheme != std::string_view::npos && paths->matches(std::string(member.patch_path.substr(scheme + 3))))
            return true;
        for (size_t slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
            path.resize(slash);
            if (paths->matches(path)) return true;
        }
        return false;
    });
}

MemberTest file_test(const Criterion& criterion) {
    return [value = criterion.value](const Members& members, size_t index) {
        std::string_view name = members[index].place->original_path;
        name = name.substr(name.rfind('/') + 1);
        if (matches_glob(name, value)) return true;
        const size_t dot = name.rfind('.');
        return dot != std::string_view::npos && dot > 0 && matches_glob(name.substr(0, dot), value);
    };
}

// A setting, and what stands below it: config.meta.owner.
Value setting_of(const NodeConfig& config, const std::vector<std::string>& names) {
    Value value = config.get(names.front());
    for (size_t i = 1; i < names.size(); ++i) {
        const Value* below = value.kind() == Kind::dict ? value.dict().find(names[i]) : nullptr;
        if (below == nullptr) return {};
        value = *below;
    }
    return value;
}

MemberTest config_test(const Criterion& criterion) {
    const Value wanted = criterion.typed.is_undefined() ? Value(criterion.value) : criterion.typed;
    const bool ignores_case = criterion.arguments == std::vector<std::string>{"severity"};
    const std::string word = to_lower(wanted.text());
    const auto is_it = [=](const Value& value) {
        if (value.kind() == Kind::boolean && word == (value.boolean() ? "true" : "false")) return true;
        if (ignores_case && value.is_string()) return to_lower(value.string()) == word;
        return value.equals(wanted);
    };
    return [names = criterion.arguments, is_it](const Members& members, size_t index) {
        const Member& member = members[index];
        if ((member.node == nullptr && member.source == nullptr) || names.empty()) return false;
        const Value value = setting_of(*member.config, names);
        if (value.is_undefined()) return false;
        if (value.kind() != Kind::list) return is_it(value);
        return std::any_of(value.items().begin(), value.items().end(), is_it);
    };
}

Result<MemberTest> resource_type_test(const Criterion& criterion) {
    std::vector<std::string> names;
    for (auto type = ResourceType::model; type <= ResourceType::group;
         type = static_cast<ResourceType>(static_cast<int>(type) + 1)) {
        names.emplace_back(to_string(type));
    }
    if (std::find(names.begin(), names.end(), criterion.value) == names.end()) {
        return Error(ErrorKind::invalid_config, "Invalid resource_type selector \"" + criterion.value + "\"" +
                                                    did_you_mean(criterion.value, names));
    }
    return MemberTest([value = criterion.value](const Members& members, size_t index) {
        return to_string(members[index].type) == value;
    });
}

Result<MemberTest> test_type_test(const Criterion& criterion) {
    const std::string& value = criterion.value;
    const bool is_generic = value == "generic" || value == "schema" || value == "data";
    const bool is_singular = value == "singular" || value == "data";
    const bool is_unit = value == "unit";
    if (!is_generic && !is_singular && !is_unit) {
        return bad_value(criterion, "expected \"generic\", \"singular\", \"unit\" or \"data\"");
    }
    return MemberTest([=](const Members& members, size_t index) {
        const Member& member = members[index];
        if (member.unit_test != nullptr) return is_unit;
        if (member.type != ResourceType::test) return false;
        return member.node->test ? is_generic : is_singular;
    });
}

// As numbers where both are, else as texts.
int compare_versions(const std::string& a, const std::string& b) {
    const auto number = [](const std::string& text) -> std::optional<double> {
        double value = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        return failure == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
    };
    const auto x = number(a), y = number(b);
    if (x && y) return *x < *y ? -1 : (*x > *y ? 1 : 0);
    return a.compare(b);
}

Result<MemberTest> version_test(const Criterion& criterion) {
    const std::string& value = criterion.value;
    if (value != "latest" && value != "prerelease" && value != "old" && value != "none") {
        return bad_value(criterion, "expected one of: \"latest\", \"prerelease\", \"old\", or \"none\"");
    }
    return MemberTest([value](const Members& members, size_t index) {
        const Member& member = members[index];
        if (member.type != ResourceType::model) return false;
        const Node& node = *member.node;
        if (value == "none") return !node.version;
        if (!node.version || !node.latest_version) return false;
        const int order = compare_versions(*node.version, *node.latest_version);
        if (value == "latest") return *node.version == *node.latest_version;
        return value == "prerelease" ? order > 0 : order < 0;
    });
}

MemberTest test_name_test(const Criterion& criterion) {
    return [value = criterion.value](const Members& members, size_t index) {
        const Member& member = members[index];
        if (member.unit_test != nullptr) return matches_glob(member.name, value);
        return member.node != nullptr && member.node->test && matches_glob(member.node->test->name, value);
    };
}

MemberTest group_test(const Criterion& criterion) {
    return [value = criterion.value](const Members& members, size_t index) {
        const Member& member = members[index];
        if (member.node == nullptr && member.type != ResourceType::metric) return false;
        if (member.node != nullptr && member.node->group) return matches_glob(*member.node->group, value);
        const std::string group = member.config->text("group");
        return !group.empty() && matches_glob(group, value);
    };
}

}  // namespace

Result<MemberTest> member_test(const Criterion& criterion, const MethodWorld& world) {
    const std::string& value = criterion.value;
    switch (criterion.method) {
        case SelectMethod::fqn: return fqn_test(criterion);
        case SelectMethod::tag:
            return MemberTest([value](const Members& members, size_t index) {
                const auto tags = members[index].tags();
                return std::any_of(tags.begin(), tags.end(), [&](const auto& tag) { return matches_glob(tag, value); });
            });
        case SelectMethod::group: return group_test(criterion);
        case SelectMethod::access:
            return MemberTest([value](const Members& members, size_t index) {
                return members[index].type == ResourceType::model && members[index].node->access == value;
            });
        case SelectMethod::source: return named_test(criterion, ResourceType::source);
        case SelectMethod::exposure: return named_test(criterion, ResourceType::exposure);
        case SelectMethod::metric: return named_test(criterion, ResourceType::metric);
        case SelectMethod::semantic_model: return named_test(criterion, ResourceType::semantic_model);
        case SelectMethod::saved_query: return named_test(criterion, ResourceType::saved_query);
        case SelectMethod::unit_test: return named_test(criterion, ResourceType::unit_test);
        case SelectMethod::path: return path_test(criterion, world);
        case SelectMethod::file: return file_test(criterion);
        case SelectMethod::package:
            return MemberTest([value = value == "this" ? world.root_package : value](const Members& members, size_t i) {
                return matches_glob(members[i].package, value);
            });
        case SelectMethod::config: return config_test(criterion);
        case SelectMethod::test_name: return test_name_test(criterion);
        case SelectMethod::test_type: return test_type_test(criterion);
        case SelectMethod::resource_type: return resource_type_test(criterion);
        case SelectMethod::version: return version_test(criterion);
        default: return Error(ErrorKind::internal, "a method that needs state: " + criterion.raw);
    }
}

}  // namespace shaduf::models
