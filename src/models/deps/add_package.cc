#include "models/deps/add_package.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "models/project/packages.h"
#include "models/yaml/parse_yaml.h"

namespace shaduf::models {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"package", "git", "local", "tarball", "private"};

std::string with(std::string text, char from, char to) {
    std::replace(text.begin(), text.end(), from, to);
    return text;
}

// "dbt_utils" stands in ".../dbt-utils.git" as a word: with a slash, a dot or nothing around it.
bool names(const std::string& location, const std::string& word) {
    const size_t at = location.find(word);
    if (at == std::string::npos || word.empty()) return false;
    const auto is_bound = [](char c) { return c == '/' || c == '.'; };
    const size_t end = at + word.size();
    return (at == 0 || is_bound(location[at - 1])) && (end == location.size() || is_bound(location[end]));
}

bool is_same_package(const std::string& location, const std::string& name) {
    const std::string last = name.substr(name.rfind('/') + 1);
    for (const std::string& word : {name, last}) {
        if (names(location, word) || names(location, with(word, '_', '-')) || names(location, with(word, '-', '_')))
            return true;
    }
    return false;
}

std::string location_of(const YamlNode& entry) {
    for (const std::string_view kind : kKinds) {
        if (entry[kind].is_text()) return std::string(entry[kind].text());
    }
    return "";
}

size_t indent_of(std::string_view line) { return std::min(line.size(), line.find_first_not_of(' ')); }

std::vector<std::string> entry_lines(const NewPackage& package, size_t indent) {
    const std::string before(indent, ' ');
    const bool is_hub = package.source == "hub";
    std::vector<std::string> lines = {before + "- " + (is_hub ? "package" : package.source) + ": " +
                                      yaml_scalar(package.name)};
    if (package.version.empty()) return lines;
    const std::string key = before + "  " + (package.source == "git" ? "revision:" : "version:");
    const auto versions = split(package.version, ',');
    if (versions.size() == 1) {
        lines.push_back(key + " " + yaml_scalar(package.version));
        return lines;
    }
    lines.push_back(key);
    for (const std::string_view version : versions) lines.push_back(before + "    - " + yaml_scalar(version));
    return lines;
}

// Lines of an entry: up to the next that is indented no deeper and says something.
size_t end_of_entry(const std::vector<std::string>& lines, size_t begin) {
    const size_t indent = indent_of(lines[begin]);
    size_t end = begin + 1;
    for (size_t at = begin + 1; at < lines.size(); ++at) {
        const size_t own = indent_of(lines[at]);
        const bool is_blank = own == lines[at].size();
        if (!is_blank && own <= indent) break;
        if (!is_blank) end = at + 1;
    }
    return end;
}

}  // namespace

Result<NewPackage> read_new_package(const std::string& text, const std::string& source) {
    NewPackage package;
    if (!source.empty()) package.source = source;
    // git@host:name has one of its own.
    const size_t at = text.find('@', package.source == "git" && text.starts_with("git@") ? 4 : 0);
    package.name = text.substr(0, at);
    if (at != std::string::npos) package.version = text.substr(at + 1);
    if (package.source != "hub" && package.source != "git" && package.source != "local") {
        return Error(ErrorKind::invalid_config, "--source takes hub, git or local, found: " + source);
    }
    if (package.source == "hub" && package.version.empty()) {
        return Error(
            ErrorKind::invalid_config,
            "Version is required in --add-package when a package when source is hub; write " + text + "@VERSION");
    }
    return package;
}

Result<AddedPackage> add_package(const std::string& text, const NewPackage& package, const std::string& file) {
    const YamlTree tree = TRY(parse_yaml(text, file));
    const YamlNode& list = tree.root()["packages"];
    AddedPackage added;
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    if (list.items().empty()) {
        std::erase_if(lines, [](const std::string& line) { return line.starts_with("packages:"); });
        lines.emplace_back("packages:");
        for (std::string& line : entry_lines(package, 2)) lines.push_back(std::move(line));
        added.text = join(lines, "\n") + "\n";
        return added;
    }
    size_t behind = 0;
    size_t indent = 0;
    std::vector<std::pair<size_t, size_t>> cut;
    for (const YamlNode& entry : list.items()) {
        const size_t begin = entry.line() - 1;
        if (begin >= lines.size() || lines[begin].substr(indent_of(lines[begin])).rfind("- ", 0) != 0) {
            return Error(ErrorKind::invalid_config, "each package must begin a line of its own, with a dash before it")
                .at(Place::in_file(file, static_cast<int>(entry.line())));
        }
        indent = indent_of(lines[begin]);
        behind = end_of_entry(lines, begin);
        const std::string location = location_of(entry);
        if (!is_same_package(location, package.name)) continue;
        added.removed.push_back(location);
        cut.emplace_back(begin, behind);
    }
    const auto more = entry_lines(package, indent);
    lines.insert(lines.begin() + static_cast<ptrdiff_t>(behind), more.begin(), more.end());
    std::reverse(cut.begin(), cut.end());
    for (const auto& [begin, end] : cut) {
        lines.erase(lines.begin() + static_cast<ptrdiff_t>(begin), lines.begin() + static_cast<ptrdiff_t>(end));
    }
    added.text = join(lines, "\n") + "\n";
    return added;
}

}  // namespace shaduf::models
