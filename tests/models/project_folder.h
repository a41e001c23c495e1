#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/result.h"
#include "models/yaml/render_tree.h"

namespace shaduf::models {

// A folder of its own, gone with this.
class ProjectFolder {
public:
    ProjectFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "shaduf_models_XXXXXX").string();
        path_ = ::mkdtemp(pattern.data()) == nullptr ? std::filesystem::path() : std::filesystem::canonical(pattern);
        EXPECT_FALSE(path_.empty());
    }
    ~ProjectFolder() { std::filesystem::remove_all(path_); }
    ProjectFolder(const ProjectFolder&) = delete;
    ProjectFolder& operator=(const ProjectFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::string at(std::string_view name) const { return name.empty() ? path_.string() : (path_ / name).string(); }
    void write(std::string_view name, std::string_view text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name, std::ios::binary) << text;
    }
    std::string read(std::string_view name) const {
        std::ifstream in(path_ / name, std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }
    bool has(std::string_view name) const { return std::filesystem::exists(path_ / name); }
    // A message without this folder's random name.
    std::string plain(std::string text) const {
        for (size_t at = text.find(path_.string()); at != std::string::npos; at = text.find(path_.string())) {
            text.replace(at, path_.string().size(), "ROOT");
        }
        return text;
    }

private:
    std::filesystem::path path_;
};

// Stands for Jinja: "{{ x }}" becomes "<x>", "{{ bad }}" fails.
inline Result<void> render_fake(const YamlNode& text, std::span<const YamlNode>, YamlBuilder& out) {
    std::string rendered(text.text());
    if (rendered.find("bad") != std::string::npos) return Error(ErrorKind::invalid_config, "bad Jinja: " + rendered);
    for (const auto& [from, to] : {std::pair("{{ ", "<"), std::pair(" }}", ">")}) {
        for (size_t at = rendered.find(from); at != std::string::npos; at = rendered.find(from))
            rendered.replace(at, 3, to);
    }
    out.add_text(rendered);
    return {};
}

}  // namespace shaduf::models
