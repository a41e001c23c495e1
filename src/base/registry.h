#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shaduf {

// An immutable list of specs by name; a value that is passed, so tests make one of their own.
template <typename Spec>
class Registry {
public:
    explicit Registry(std::vector<const Spec*> specs) : specs_(std::move(specs)) {}
    const Spec* find(std::string_view name) const {
        for (const Spec* spec : specs_) {
            if (spec->name == name) return spec;
        }
        return nullptr;
    }
    const std::vector<const Spec*>& all() const { return specs_; }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const Spec* spec : specs_) names.emplace_back(spec->name);
        return names;
    }

private:
    std::vector<const Spec*> specs_;
};

}  // namespace shaduf
