#pragma once

#include <string>
#include <utility>
#include <vector>

#include "jinja/value.h"

// What the values hold that have no class of their own.
namespace shaduf::jinja {

class TextBox final : public Counted {
public:
    TextBox(std::string held, bool markup) : text(std::move(held)), is_markup(markup) {}
    const std::string text;
    const bool is_markup;
};

class TupleBox final : public Counted {
public:
    explicit TupleBox(std::vector<Value> held) : items(std::move(held)) {}
    const std::vector<Value> items;
};

class MissingBox final : public Counted {
public:
    MissingBox(UndefinedMode how, std::string held, bool name) : mode(how), text(std::move(held)), is_name(name) {}
    const UndefinedMode mode;
    const std::string text;  // a name, or a whole message
    const bool is_name;
};

}  // namespace shaduf::jinja
